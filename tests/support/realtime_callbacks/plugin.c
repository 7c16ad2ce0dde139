/* A CLAP host for the real-time-safety checker: the plugin in NEUTONE_LIKE_PLUGIN inside the callback, with parameter
 * events in the middle of blocks, bypass, and a reset now and then. With NEUTONE_LIKE_PLUGIN_ARTIFACTS, two paths with a
 * colon between them, the player opens one and the other by turns on another thread. With NEUTONE_LIKE_PLUGIN_WINDOW, the
 * number of a window of X11's, the plugin's own is open inside, and lives on another thread. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <neutone_like/realtime_callback.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clap_abi.h"

static const clap_plugin* plugin;
static clap_param_info first, bypass;
static clap_param_value changes[2];
static uint32_t turn = 0;

static pthread_t opener;
static atomic_int is_opening, opened;

/* The system gives a thread the pages of its stack when it first gets there; models differ in how deep they go. */
static void touch_stack(void) {
    volatile char deep[1 << 16];
    for (size_t at = 0; at < sizeof deep; at += 1024) deep[at] = 0;
}

static void* open_by_turns(void* of) {
    const clap_plugin_preset_load* presets = plugin->get_extension(plugin, "clap.preset-load/2");
    char* first = of;
    char* second = strchr(first, ':');
    *second++ = '\0';
    while (atomic_load(&is_opening)) {
        if (!presets->from_location(plugin, CLAP_PRESET_FILE, atomic_load(&opened) % 2 ? first : second, NULL)) abort();
        atomic_fetch_add(&opened, 1);
    }
    free(of);
    return NULL;
}

static pthread_t looker;
static atomic_int is_looking, looked;
static int heard; /* events that came out of process */

static bool take_timer(const clap_host* host, uint32_t period_ms, uint32_t* timer) {
    (void)host;
    (void)period_ms;
    *timer = 1;
    return true;
}
static bool drop_timer(const clap_host* host, uint32_t timer) {
    (void)host;
    (void)timer;
    return true;
}
static const clap_host_timer timers = {take_timer, drop_timer};

static void* look(void* of) {
    const clap_plugin_gui* gui = plugin->get_extension(plugin, "clap.gui");
    const clap_plugin_timer* timer = plugin->get_extension(plugin, "clap.timer-support");
    clap_window parent = {"x11", {NULL}};
    parent.parent.x11 = strtoul(of, NULL, 10);
    if (gui == NULL || !gui->create(plugin, "x11", false) || !gui->set_parent(plugin, &parent)) abort();
    gui->show(plugin);
    while (atomic_load(&is_looking)) {
        const struct timespec pause = {0, 2000000};
        timer->on_timer(plugin, 1);
        atomic_fetch_add(&looked, 1);
        nanosleep(&pause, NULL);
    }
    gui->destroy(plugin);
    return NULL;
}

static bool hear(const clap_output_events* list, const clap_event* event) {
    (void)list;
    (void)event;
    ++heard;
    return true;
}
static const clap_output_events hearing = {NULL, hear};

static const void* no_extension(const clap_host* host, const char* id) {
    (void)host;
    return strcmp(id, "clap.timer-support") == 0 ? &timers : NULL;
}
static void nothing(const clap_host* host) { (void)host; }
static const clap_host host = {{1, 1, 1}, NULL, "host", "tests", "", "1", no_extension, nothing, nothing, nothing};

static uint32_t count(const clap_input_events* list) {
    (void)list;
    return 2;
}
static const clap_event* at(const clap_input_events* list, uint32_t index) {
    (void)list;
    return &changes[index].event;
}
static const clap_input_events events = {NULL, count, at};

void* neutone_like_callback_create(void) {
    void* library = dlopen(getenv("NEUTONE_LIKE_PLUGIN"), RTLD_NOW | RTLD_LOCAL);
    const clap_entry_points* entry = library == NULL ? NULL : dlsym(library, "clap_entry");
    if (entry == NULL || !entry->init(getenv("NEUTONE_LIKE_PLUGIN"))) return NULL;
    const clap_factory* factory = entry->get_factory("clap.plugin-factory");
    plugin = factory->create(factory, &host, factory->descriptor(factory, 0)->id);
    if (plugin == NULL || !plugin->init(plugin)) return NULL;
    const clap_plugin_params* params = plugin->get_extension(plugin, "clap.params");
    params->get_info(plugin, 0, &first);
    params->get_info(plugin, params->count(plugin) - 1, &bypass);
    return (void*)plugin;
}

int32_t neutone_like_callback_prepare(void* instance, double sample_rate, int32_t longest_block, int32_t channels) {
    (void)instance;
    if (channels != 2) return 1;
    if (!plugin->activate(plugin, sample_rate, 1, (uint32_t)longest_block)) return 1;
    if (getenv("NEUTONE_LIKE_PLUGIN_ARTIFACTS") != NULL) {
        atomic_store(&is_opening, 1);
        if (pthread_create(&opener, NULL, open_by_turns, strdup(getenv("NEUTONE_LIKE_PLUGIN_ARTIFACTS"))) != 0)
            return 1;
    }
    if (getenv("NEUTONE_LIKE_PLUGIN_WINDOW") != NULL) {
        atomic_store(&is_looking, 1);
        if (pthread_create(&looker, NULL, look, getenv("NEUTONE_LIKE_PLUGIN_WINDOW")) != 0) return 1;
        while (atomic_load(&looked) < 3) { /* it is drawn once */
        }
    }
    return plugin->start_processing(plugin) ? 0 : 1;
}

static clap_param_value change(uint32_t time, uint32_t id, double value) {
    clap_param_value made = {
        {sizeof made, time, CLAP_CORE_EVENTS, CLAP_PARAM_VALUE, 0}, id, NULL, -1, -1, -1, -1, value};
    return made;
}

void neutone_like_callback_process(void* instance, const float* const* in, float* const* out, int32_t samples) {
    const clap_audio_buffer inputs = {(float**)in, NULL, 2, 0, 0};
    clap_audio_buffer outputs = {(float**)out, NULL, 2, 0, 0};
    const clap_process process = {-1, (uint32_t)samples, NULL, &inputs, &outputs, 1, 1, &events, &hearing};
    (void)instance;
    if (++turn == 1) touch_stack();
    changes[0] = change(turn % 7, first.id, first.minimum + (first.maximum - first.minimum) * (turn % 8) / 8.0);
    changes[1] = change((uint32_t)samples / 2, bypass.id, turn / 50 % 2);
    if (plugin->process(plugin, &process) == CLAP_PROCESS_ERROR) abort();
    if (turn % 100 == 0) plugin->reset(plugin);
}

void neutone_like_callback_destroy(void* instance) {
    (void)instance;
    if (atomic_exchange(&is_opening, 0)) {
        pthread_join(opener, NULL);
        if (atomic_load(&opened) < 10) abort();
    }
    if (atomic_exchange(&is_looking, 0)) {
        pthread_join(looker, NULL);
        if (heard < 3) abort();
    }
    plugin->stop_processing(plugin);
    plugin->deactivate(plugin);
    plugin->destroy(plugin);
}
