/* As much of CLAP's binary interface as the plugin and its tests use: layouts and names as github.com/free-audio/clap
 * publishes them for version 1.1. C, or C++. */
#ifndef NEUTONE_LIKE_CLAP_ABI_H
#define NEUTONE_LIKE_CLAP_ABI_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { CLAP_NAME_BYTES = 256, CLAP_PATH_BYTES = 1024 };
#define CLAP_NO_ID UINT32_MAX

typedef struct clap_version {
    uint32_t major, minor, revision;
} clap_version;

/* ---- What a host gives ---- */

typedef struct clap_host {
    clap_version version;
    void* data;
    const char *name, *vendor, *url, *host_version;
    const void* (*get_extension)(const struct clap_host* host, const char* id);
    void (*request_restart)(const struct clap_host* host);
    void (*request_process)(const struct clap_host* host);
    void (*request_callback)(const struct clap_host* host);
} clap_host;

typedef struct clap_host_latency {
    void (*changed)(const clap_host* host);
} clap_host_latency;

enum { CLAP_RESCAN_VALUES = 1, CLAP_RESCAN_TEXT = 2, CLAP_RESCAN_INFO = 4 };
typedef struct clap_host_params {
    void (*rescan)(const clap_host* host, uint32_t flags);
    void (*clear)(const clap_host* host, uint32_t id, uint32_t flags);
    void (*request_flush)(const clap_host* host);
} clap_host_params;

/* "clap.preset-load/2", and in older hosts "clap.preset-load.draft/2" */
typedef struct clap_host_preset_load {
    void (*on_error)(const clap_host* host, uint32_t kind, const char* location, const char* key, int32_t os_error,
                     const char* message);
    void (*loaded)(const clap_host* host, uint32_t kind, const char* location, const char* key);
} clap_host_preset_load;

enum { CLAP_LOG_WARNING = 2 };
typedef struct clap_host_log {
    void (*log)(const clap_host* host, int32_t severity, const char* message);
} clap_host_log;

typedef struct clap_host_tail {
    void (*changed)(const clap_host* host);
} clap_host_tail;

typedef struct clap_host_state {
    void (*mark_dirty)(const clap_host* host);
} clap_host_state;

typedef struct clap_host_timer {
    bool (*register_timer)(const clap_host* host, uint32_t period_ms, uint32_t* timer);
    bool (*unregister_timer)(const clap_host* host, uint32_t timer);
} clap_host_timer;

/* ---- Events ---- */

typedef struct clap_event {
    uint32_t size;
    uint32_t time; /* samples from the block's beginning */
    uint16_t space;
    uint16_t type;
    uint32_t flags;
} clap_event;

enum { CLAP_CORE_EVENTS = 0, CLAP_PARAM_VALUE = 5, CLAP_GESTURE_BEGIN = 7, CLAP_GESTURE_END = 8 };
typedef struct clap_param_gesture {
    clap_event event;
    uint32_t id;
} clap_param_gesture;

typedef struct clap_param_value {
    clap_event event;
    uint32_t id;
    void* cookie;
    int32_t note;
    int16_t port, channel, key;
    double value;
} clap_param_value;

typedef struct clap_input_events {
    void* context;
    uint32_t (*size)(const struct clap_input_events* list);
    const clap_event* (*get)(const struct clap_input_events* list, uint32_t index);
} clap_input_events;

typedef struct clap_output_events {
    void* context;
    bool (*try_push)(const struct clap_output_events* list, const clap_event* event);
} clap_output_events;

/* ---- Playing ---- */

typedef struct clap_audio_buffer {
    float** data32;
    double** data64;
    uint32_t channels;
    uint32_t latency;
    uint64_t constant_mask;
} clap_audio_buffer;

enum { CLAP_PROCESS_ERROR = 0, CLAP_PROCESS_CONTINUE = 1, CLAP_PROCESS_TAIL = 3 };
typedef struct clap_process {
    int64_t steady_time;
    uint32_t frames;
    const void* transport;
    const clap_audio_buffer* inputs;
    clap_audio_buffer* outputs;
    uint32_t input_count, output_count;
    const clap_input_events* in_events;
    const clap_output_events* out_events;
} clap_process;

typedef struct clap_descriptor {
    clap_version version;
    const char *id, *name, *vendor, *url, *manual_url, *support_url, *plugin_version, *description;
    const char* const* features;
} clap_descriptor;

typedef struct clap_plugin {
    const clap_descriptor* descriptor;
    void* data;
    bool (*init)(const struct clap_plugin* plugin);
    void (*destroy)(const struct clap_plugin* plugin);
    bool (*activate)(const struct clap_plugin* plugin, double sample_rate, uint32_t least, uint32_t most);
    void (*deactivate)(const struct clap_plugin* plugin);
    bool (*start_processing)(const struct clap_plugin* plugin);
    void (*stop_processing)(const struct clap_plugin* plugin);
    void (*reset)(const struct clap_plugin* plugin);
    int32_t (*process)(const struct clap_plugin* plugin, const clap_process* process);
    const void* (*get_extension)(const struct clap_plugin* plugin, const char* id);
    void (*on_main_thread)(const struct clap_plugin* plugin);
} clap_plugin;

typedef struct clap_factory {
    uint32_t (*count)(const struct clap_factory* factory);
    const clap_descriptor* (*descriptor)(const struct clap_factory* factory, uint32_t index);
    const clap_plugin* (*create)(const struct clap_factory* factory, const clap_host* host, const char* id);
} clap_factory;

typedef struct clap_entry_points {
    clap_version version;
    bool (*init)(const char* path);
    void (*deinit)(void);
    const void* (*get_factory)(const char* id);
} clap_entry_points;

/* ---- What a plugin offers beyond ---- */

enum { CLAP_PORT_IS_MAIN = 1 };
typedef struct clap_port_info {
    uint32_t id;
    char name[CLAP_NAME_BYTES];
    uint32_t flags;
    uint32_t channels;
    const char* type;
    uint32_t in_place_pair;
} clap_port_info;

typedef struct clap_plugin_audio_ports {
    uint32_t (*count)(const clap_plugin* plugin, bool is_input);
    bool (*get)(const clap_plugin* plugin, uint32_t index, bool is_input, clap_port_info* info);
} clap_plugin_audio_ports;

typedef struct clap_ports_config {
    uint32_t id;
    char name[CLAP_NAME_BYTES];
    uint32_t input_ports, output_ports;
    bool has_main_input;
    uint32_t main_input_channels;
    const char* main_input_type;
    bool has_main_output;
    uint32_t main_output_channels;
    const char* main_output_type;
} clap_ports_config;

typedef struct clap_plugin_audio_ports_config {
    uint32_t (*count)(const clap_plugin* plugin);
    bool (*get)(const clap_plugin* plugin, uint32_t index, clap_ports_config* config);
    bool (*select)(const clap_plugin* plugin, uint32_t id);
} clap_plugin_audio_ports_config;

enum {
    CLAP_PARAM_IS_STEPPED = 1 << 0,
    CLAP_PARAM_IS_HIDDEN = 1 << 2,
    CLAP_PARAM_IS_BYPASS = 1 << 4,
    CLAP_PARAM_IS_AUTOMATABLE = 1 << 5,
    CLAP_PARAM_IS_ENUM = 1 << 16
};
typedef struct clap_param_info {
    uint32_t id;
    uint32_t flags;
    void* cookie;
    char name[CLAP_NAME_BYTES];
    char module[CLAP_PATH_BYTES];
    double minimum, maximum, default_value;
} clap_param_info;

typedef struct clap_plugin_params {
    uint32_t (*count)(const clap_plugin* plugin);
    bool (*get_info)(const clap_plugin* plugin, uint32_t index, clap_param_info* info);
    bool (*get_value)(const clap_plugin* plugin, uint32_t id, double* value);
    bool (*value_to_text)(const clap_plugin* plugin, uint32_t id, double value, char* text, uint32_t bytes);
    bool (*text_to_value)(const clap_plugin* plugin, uint32_t id, const char* text, double* value);
    void (*flush)(const clap_plugin* plugin, const clap_input_events* in, const clap_output_events* out);
} clap_plugin_params;

typedef struct clap_istream {
    void* context;
    int64_t (*read)(const struct clap_istream* stream, void* buffer, uint64_t bytes);
} clap_istream;

typedef struct clap_ostream {
    void* context;
    int64_t (*write)(const struct clap_ostream* stream, const void* buffer, uint64_t bytes);
} clap_ostream;

typedef struct clap_plugin_state {
    bool (*save)(const clap_plugin* plugin, const clap_ostream* stream);
    bool (*load)(const clap_plugin* plugin, const clap_istream* stream);
} clap_plugin_state;

/* "clap.latency" and "clap.tail" look the same. */
typedef struct clap_plugin_samples {
    uint32_t (*get)(const clap_plugin* plugin);
} clap_plugin_samples;

enum { CLAP_PRESET_FILE = 0 };
typedef struct clap_plugin_preset_load {
    bool (*from_location)(const clap_plugin* plugin, uint32_t kind, const char* location, const char* key);
} clap_plugin_preset_load;

typedef struct clap_plugin_render {
    bool (*has_hard_realtime_requirement)(const clap_plugin* plugin);
    bool (*set)(const clap_plugin* plugin, int32_t mode);
} clap_plugin_render;

/* ---- A window ---- */

typedef struct clap_window {
    const char* api;
    union {
        void* pointer;
        unsigned long x11;
    } parent;
} clap_window;

typedef struct clap_resize_hints {
    bool horizontally, vertically, keeps_aspect_ratio;
    uint32_t aspect_width, aspect_height;
} clap_resize_hints;

typedef struct clap_plugin_gui {
    bool (*is_api_supported)(const clap_plugin* plugin, const char* api, bool is_floating);
    bool (*get_preferred_api)(const clap_plugin* plugin, const char** api, bool* is_floating);
    bool (*create)(const clap_plugin* plugin, const char* api, bool is_floating);
    void (*destroy)(const clap_plugin* plugin);
    bool (*set_scale)(const clap_plugin* plugin, double scale);
    bool (*get_size)(const clap_plugin* plugin, uint32_t* width, uint32_t* height);
    bool (*can_resize)(const clap_plugin* plugin);
    bool (*get_resize_hints)(const clap_plugin* plugin, clap_resize_hints* hints);
    bool (*adjust_size)(const clap_plugin* plugin, uint32_t* width, uint32_t* height);
    bool (*set_size)(const clap_plugin* plugin, uint32_t width, uint32_t height);
    bool (*set_parent)(const clap_plugin* plugin, const clap_window* window);
    bool (*set_transient)(const clap_plugin* plugin, const clap_window* window);
    void (*suggest_title)(const clap_plugin* plugin, const char* title);
    bool (*show)(const clap_plugin* plugin);
    bool (*hide)(const clap_plugin* plugin);
} clap_plugin_gui;

typedef struct clap_plugin_timer {
    void (*on_timer)(const clap_plugin* plugin, uint32_t timer);
} clap_plugin_timer;

#ifdef __cplusplus
}
#endif

#endif
