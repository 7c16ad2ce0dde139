// CLAP: what a host finds in the file.
#include <cstring>
#include <exception>

#include "clap_plugin.hpp"
#include "exported.hpp"

namespace neutone_like::plugin {

namespace {

const clap_descriptor& descriptor() {
    static const char* const features[] = {"audio-effect", "mono", "stereo", nullptr};
    static const Identity& identity = content().identity;
    static const clap_descriptor once = {{1, 1, 1},
                                         identity.id.c_str(),
                                         identity.name.c_str(),
                                         identity.vendor.c_str(),
                                         "",
                                         "",
                                         "",
                                         identity.version.c_str(),
                                         identity.description.c_str(),
                                         features};
    return once;
}

const clap_plugin* create(const clap_factory*, const clap_host* host, const char* id) {
    if (host == nullptr || id == nullptr || host->version.major < 1 || descriptor().id != std::string(id))
        return nullptr;
    try {
        auto* made = new ClapPlugin(host);
        made->face.descriptor = &descriptor();
        return &made->face;
    } catch (const std::exception&) {
        return nullptr;
    }
}

const clap_descriptor* descriptor_at(const clap_factory*, uint32_t index) {
    return index == 0 ? &descriptor() : nullptr;
}

constexpr clap_factory kFactory = {[](const clap_factory*) -> uint32_t { return 1; }, descriptor_at, create};

const void* get_factory(const char* id) {
    return id != nullptr && std::strcmp(id, "clap.plugin-factory") == 0 ? &kFactory : nullptr;
}

}  // namespace

}  // namespace neutone_like::plugin

extern "C" NEUTONE_LIKE_EXPORTED const clap_entry_points clap_entry = {
    {1, 1, 1}, [](const char*) { return true; }, [] {}, neutone_like::plugin::get_factory};
