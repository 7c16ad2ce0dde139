#include "identity.hpp"

#if defined(_WIN32)
#include <windows.h>

#include "windows_names.hpp"
#else
#include <dlfcn.h>
#endif

#include <algorithm>
#include <string_view>

#include "file.hpp"
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

// What lies beside the binary: in a bundle of macOS's, or in the same folder. Empty: nothing.
std::string content_beside(std::string& folder) {
    const std::string binary = own_path();
    const size_t end = binary.find_last_of("/\\");
    if (end == std::string::npos) return "";
    for (const char* where : {"/../Resources/", "/"}) {
        folder = binary.substr(0, end) + where;
        const std::string path = folder + "plugin.json";
        std::string problem;
        const File file = open_file(path, problem);
        if (file == nullptr) continue;
        const uint64_t bytes = std::min<uint64_t>(bytes_of(file.get(), path), 2 * kRoom);
        const auto read = read_bytes(file.get(), path, 0, bytes);
        return {reinterpret_cast<const char*>(read->data()), static_cast<size_t>(bytes)};
    }
    return "";
}

}  // namespace

Identity own_identity() {
    Identity identity;
    std::string text = content();
    Json json;
    std::string problem;
    if (!read_json(text, json, problem)) {
        std::string folder;
        text = content_beside(folder);
        if (!read_json(text, json, problem)) return identity;
        identity.model_file = folder + "model.nlc";
    }
    take(json, "name", identity.name);
    take(json, "vendor", identity.vendor);
    take(json, "version", identity.version);
    take(json, "description", identity.description);
    take(json, "id", identity.id);
    take(json, "uri", identity.uri);
    take(json, "uid", identity.uid);
    take(json, "parameters", identity.parameters);
    take(json, "in_channels", identity.in_channels);
    take(json, "out_channels", identity.out_channels);
    take(json, "worker", identity.worker);
    take(json, "player", identity.player);
    take(json, "artifact", identity.artifact);
    take(json, "model_offset", identity.model_offset);
    take(json, "model_bytes", identity.model_bytes);
    take(json, "tail_rate", identity.tail_rate);
    if (identity.tail_rate > 0.0) take(json, "tail_samples", identity.tail_samples);
    return identity;
}

std::string own_path() {
    const void* here = const_cast<const char*>(neutone_like_plugin_identity);
#if defined(_WIN32)
    constexpr DWORD kHow = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
    HMODULE module = nullptr;
    if (GetModuleHandleExW(kHow, static_cast<LPCWSTR>(here), &module) == 0) return "";
    std::wstring path(32768, L'\0');  // the longest that Windows has
    path.resize(GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size())));
    return narrow(path);
#else
    Dl_info info{};
    return dladdr(here, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
#endif
}

}  // namespace neutone_like::plugin
