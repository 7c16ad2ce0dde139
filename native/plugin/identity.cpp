#include "identity.hpp"

#include <dlfcn.h>

#include <string_view>

#include "model/json.hpp"

namespace {

constexpr size_t kRoom = 4096;

}  // namespace

// neutone_like/plugin/binary.py looks for this text, and puts JSON in its place, ended by a zero byte. Nothing else in the
// binary may hold it.
extern "C" {
__attribute__((used)) volatile char neutone_like_plugin_identity[kRoom] =
    "neutone-like: here stands which plugin this is";
}

namespace neutone_like::plugin {

namespace {

std::string content() {
    std::string text;
    for (const volatile char& each : neutone_like_plugin_identity) {
        if (each == '\0') break;
        text += each;
    }
    return text;
}

void take(const Json& json, const char* key, std::string& text) {
    const Json* found = json.find(key);
    if (found != nullptr && found->kind == Json::Kind::text) text = found->text;
}

template <typename Number>
void take(const Json& json, const char* key, Number& number) {
    const Json* found = json.find(key);
    if (found != nullptr && found->kind == Json::Kind::number && found->number >= 0.0 && found->number < 1e15) {
        number = static_cast<Number>(found->number);
    }
}

}  // namespace

Identity own_identity() {
    Identity identity;
    const std::string text = content();
    Json json;
    std::string problem;
    if (!read_json(text, json, problem)) return identity;
    take(json, "name", identity.name);
    take(json, "vendor", identity.vendor);
    take(json, "version", identity.version);
    take(json, "description", identity.description);
    take(json, "id", identity.id);
    take(json, "uri", identity.uri);
    take(json, "uid", identity.uid);
    take(json, "parameters", identity.parameters);
    take(json, "worker", identity.worker);
    take(json, "player", identity.player);
    take(json, "artifact", identity.artifact);
    take(json, "model_offset", identity.model_offset);
    take(json, "model_bytes", identity.model_bytes);
    return identity;
}

std::string own_path() {
    Dl_info info{};
    const void* here = const_cast<const char*>(neutone_like_plugin_identity);
    return dladdr(here, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

}  // namespace neutone_like::plugin
