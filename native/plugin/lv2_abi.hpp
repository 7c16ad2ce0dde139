// As much of LV2's binary interfaces as the plugin uses: lv2core, atom, urid, state, worker, options and ui of lv2plug.in/ns.
#pragma once

#include <cstddef>
#include <cstdint>

namespace neutone_like::plugin::lv2 {

struct Feature {
    const char* uri;
    void* data;
};
using Features = const Feature* const*;

struct Descriptor {
    const char* uri;
    void* (*instantiate)(const Descriptor* descriptor, double sample_rate, const char* bundle, Features features);
    void (*connect_port)(void* instance, uint32_t port, void* memory);
    void (*activate)(void* instance);
    void (*run)(void* instance, uint32_t samples);
    void (*deactivate)(void* instance);
    void (*cleanup)(void* instance);
    const void* (*extension_data)(const char* uri);
};

struct UridMap {
    void* handle;
    uint32_t (*map)(void* handle, const char* uri);
};

// ---- Atoms: each begins at a multiple of 8 bytes ----

struct Atom {
    uint32_t size;  // of what follows it
    uint32_t type;
};
struct Sequence {
    Atom atom;
    uint32_t unit, pad;
};
struct Event {
    int64_t frames;
    Atom atom;
};
struct Object {
    uint32_t id, type;
};
struct Property {
    uint32_t key, context;
    Atom value;
};
constexpr uint32_t padded(uint32_t bytes) noexcept { return (bytes + 7u) & ~7u; }

// ---- Worker ----

using Respond = int (*)(void* handle, uint32_t size, const void* data);
struct Schedule {
    void* handle;
    int (*schedule)(void* handle, uint32_t size, const void* data);
};
struct WorkerInterface {
    int (*work)(void* instance, Respond respond, void* handle, uint32_t size, const void* data);
    int (*work_response)(void* instance, uint32_t size, const void* data);
    int (*end_run)(void* instance);
};

// ---- State ----

using Store = int (*)(void* handle, uint32_t key, const void* value, size_t size, uint32_t type, uint32_t flags);
using Retrieve = const void* (*)(void* handle, uint32_t key, size_t* size, uint32_t* type, uint32_t* flags);
struct StateInterface {
    int (*save)(void* instance, Store store, void* handle, uint32_t flags, Features features);
    int (*restore)(void* instance, Retrieve retrieve, void* handle, uint32_t flags, Features features);
};
enum { kStateSuccess = 0, kStateUnknown = 1 };
constexpr uint32_t kPodAndPortable = 3;
struct MapPath {
    void* handle;
    char* (*abstract)(void* handle, const char* absolute);
    char* (*absolute)(void* handle, const char* abstract);
};
struct FreePath {
    void* handle;
    void (*free)(void* handle, char* path);
};

// ---- A window ----

using WriteFunction = void (*)(void* controller, uint32_t port, uint32_t size, uint32_t protocol, const void* value);
struct UiDescriptor {
    const char* uri;
    void* (*instantiate)(const UiDescriptor* descriptor, const char* plugin, const char* bundle, WriteFunction write,
                         void* controller, void** widget, Features features);
    void (*cleanup)(void* window);
    void (*port_event)(void* window, uint32_t port, uint32_t size, uint32_t format, const void* value);
    const void* (*extension_data)(const char* uri);
};
struct IdleInterface {
    int (*idle)(void* window);
};
struct Resize {
    void* handle;
    int (*resize)(void* handle, int width, int height);
};
struct Touch {
    void* handle;
    void (*touch)(void* handle, uint32_t port, bool is_held);
};
struct Option {
    uint32_t context, subject, key, size, type;
    const void* value;
};

// What a host gives by this name, or null.
void* feature(Features features, const char* uri) noexcept;

}  // namespace neutone_like::plugin::lv2
