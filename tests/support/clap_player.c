/* A CLAP host for platforms that no Python runs on here: plays stdin through a plugin to stdout, as float32 in stereo frames.
 *
 *     clap_player PLUGIN SAMPLE_RATE BLOCK [ARTIFACT]
 *
 * stderr has the plugin's name, its latency, and its first parameter's name and text. The first parameter is set to three
 * quarters of its range. With an artifact it is the player that opens it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clap_abi.h"

#if defined(_WIN32)
#include <fcntl.h>
#include <io.h>
#include <windows.h>
static void* open_library(const char* path) { return (void*)LoadLibraryA(path); }
static void* symbol(void* library, const char* name) { return (void*)GetProcAddress((HMODULE)library, name); }
#else
#include <dlfcn.h>
static void* open_library(const char* path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
static void* symbol(void* library, const char* name) { return dlsym(library, name); }
#endif

enum { LONGEST = 4096 };
static clap_param_value change;

static int fail(const char* what) {
    fprintf(stderr, "%s\n", what);
    return 1;
}

static void log_message(const clap_host* host, int32_t severity, const char* message) {
    (void)host;
    (void)severity;
    fprintf(stderr, "log: %s\n", message);
}
static const clap_host_log logging = {log_message};
static const void* extension(const clap_host* host, const char* id) {
    (void)host;
    return strcmp(id, "clap.log") == 0 ? &logging : NULL;
}
static void nothing(const clap_host* host) { (void)host; }
static const clap_host host = {{1, 1, 1}, NULL, "host", "tests", "", "1", extension, nothing, nothing, nothing};

static uint32_t one(const clap_input_events* list) {
    (void)list;
    return 1;
}
static uint32_t none(const clap_input_events* list) {
    (void)list;
    return 0;
}
static const clap_event* at(const clap_input_events* list, uint32_t index) {
    (void)list;
    (void)index;
    return &change.event;
}

static int play(const clap_plugin* plugin, uint32_t block) {
    static float frames[2 * LONGEST], left[LONGEST], right[LONGEST];
    const clap_input_events first = {NULL, one, at}, later = {NULL, none, at};
    const clap_input_events* events = &first;
    for (size_t got; (got = fread(frames, 2 * sizeof(float), block, stdin)) > 0;) {
        float* rows[2] = {left, right};
        for (size_t i = 0; i < got; ++i) left[i] = frames[2 * i], right[i] = frames[2 * i + 1];
        const clap_audio_buffer inputs = {rows, NULL, 2, 0, 0};
        clap_audio_buffer outputs = {rows, NULL, 2, 0, 0};
        const clap_process process = {-1, (uint32_t)got, NULL, &inputs, &outputs, 1, 1, events, NULL};
        if (plugin->process(plugin, &process) == CLAP_PROCESS_ERROR) return fail("process failed");
        for (size_t i = 0; i < got; ++i) frames[2 * i] = left[i], frames[2 * i + 1] = right[i];
        if (fwrite(frames, 2 * sizeof(float), got, stdout) != got) return fail("stdout can't be written");
        events = &later;
    }
    return 0;
}

int main(int count, char** arguments) {
    if (count < 4) return fail("usage: clap_player PLUGIN SAMPLE_RATE BLOCK [ARTIFACT]");
#if defined(_WIN32)
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
    const uint32_t block = (uint32_t)atoi(arguments[3]);
    if (block < 1 || block > LONGEST) return fail("a block has 1 to 4096 samples");
    void* library = open_library(arguments[1]);
    const clap_entry_points* entry = library == NULL ? NULL : symbol(library, "clap_entry");
    if (entry == NULL || !entry->init(arguments[1])) return fail("it can't be loaded");
    const clap_factory* factory = entry->get_factory("clap.plugin-factory");
    const clap_descriptor* descriptor = factory->descriptor(factory, 0);
    const clap_plugin* plugin = factory->create(factory, &host, descriptor->id);
    if (plugin == NULL || !plugin->init(plugin)) return fail("there is no instance of it");
    if (count > 4) {
        const clap_plugin_preset_load* presets = plugin->get_extension(plugin, "clap.preset-load/2");
        if (presets == NULL || !presets->from_location(plugin, CLAP_PRESET_FILE, arguments[4], NULL)) {
            return fail("the artifact can't be opened");
        }
    }
    if (!plugin->activate(plugin, atof(arguments[2]), 1, block)) return fail("it can't be activated");
    const clap_plugin_params* params = plugin->get_extension(plugin, "clap.params");
    const clap_plugin_samples* latency = plugin->get_extension(plugin, "clap.latency");
    clap_param_info info;
    char text[64];
    params->get_info(plugin, 0, &info);
    const double value = info.minimum + 0.75 * (info.maximum - info.minimum);
    params->value_to_text(plugin, info.id, value, text, sizeof text);
    fprintf(stderr, "%s, %u samples late, %s %s\n", descriptor->name, latency->get(plugin), info.name, text);
    const clap_event event = {sizeof change, 0, CLAP_CORE_EVENTS, CLAP_PARAM_VALUE, 0};
    change = (clap_param_value){event, info.id, NULL, -1, -1, -1, -1, value};
    plugin->start_processing(plugin);
    const int result = play(plugin, block);
    plugin->stop_processing(plugin);
    plugin->deactivate(plugin);
    plugin->destroy(plugin);
    entry->deinit();
    return result;
}
