// CLAP: an artifact is a preset of the player's, which a host loads by its path.
#include <cstring>
#include <string>

#include "clap_plugin.hpp"

namespace neutone_like::plugin {

namespace {

constexpr const char* kNames[] = {"clap.preset-load/2", "clap.preset-load.draft/2"};

const clap_host_preset_load* face_of(const ClapPlugin& self) {
    const auto* found = self.of_host<clap_host_preset_load>(kNames[0]);
    return found != nullptr ? found : self.of_host<clap_host_preset_load>(kNames[1]);
}

bool from_location(const clap_plugin* face, uint32_t kind, const char* location, const char* key) {
    ClapPlugin& self = ClapPlugin::of(face);
    if (kind != CLAP_PRESET_FILE || location == nullptr) return false;
    const int64_t latency = self.plugin.latency_samples();
    const bool is_good = self.plugin.open(location);
    tell_changes(self, latency);
    const auto* host = face_of(self);
    if (host == nullptr) return is_good;
    if (is_good) {
        host->loaded(self.host, kind, location, key);
    } else {
        host->on_error(self.host, kind, location, key, 0, self.plugin.told().c_str());
    }
    return is_good;
}

constexpr clap_plugin_preset_load kPreset = {from_location};

}  // namespace

const void* clap_preset_extension(const char* id) noexcept {
    for (const char* name : kNames) {
        if (id != nullptr && std::strcmp(name, id) == 0) return &kPreset;
    }
    return nullptr;
}

}  // namespace neutone_like::plugin
