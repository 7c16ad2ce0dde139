/* A PortAudio without a sound card, for tests: the functions that live streams use, and a thread that calls the callback.
 * Environment variables, read whenever they matter, say what it is like:
 *     FAKE_DEVICES         how many devices there are (1)
 *     FAKE_CHANNELS        of each, in and out (2)
 *     FAKE_RATE            the only rate in Hz that it takes (48000)
 *     FAKE_BLOCK           samples of a callback where the device may choose (128)
 *     FAKE_ALTERNATE       where not 0, every second block is this long
 *     FAKE_FLAG_EVERY      every so many callbacks are flagged as an xrun, input and output (0: none)
 *     FAKE_VANISH_AFTER    after so many callbacks there are no more, and whatever stops the stream hangs
 *     FAKE_HOLD_AFTER      after so many callbacks the thread ends, and fake_step makes them
 *     FAKE_LOOP_BACK       samples between what is played and what is heard; where not 0, nothing else is heard
 *     FAKE_NO_INPUT        where not 0, the callback's input is a null pointer
 *     FAKE_OPEN_ERROR      what opening a stream gives (0: it opens)
 *     FAKE_VERSION         (0x00130700)
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CHANNELS = 8, MOST_FRAMES = 8192, LOOP = 1 << 16 };

typedef struct { int version, type; const char* name; int devices, default_input, default_output; } HostApi;
typedef struct {
    int version; const char* name; int host_api, inputs, outputs;
    double low_input, low_output, high_input, high_output, rate;
} Device;
typedef struct { int device, channels; unsigned long format; double latency; void* specific; } Parameters;
typedef struct { int version; double input_latency, output_latency, rate; } StreamInfo;
typedef struct { int type; long code; const char* text; } HostError;
typedef int Callback(const void*, void*, unsigned long, const void*, unsigned long, void*);

static Callback* callback;
static void* user;
static int inputs, outputs, fixed_block;
static double rate;
static pthread_t thread;
static atomic_int running, joined = 1, vanished, callbacks;
static uint64_t position;
static float in_memory[MOST_CHANNELS][MOST_FRAMES], out_memory[MOST_CHANNELS][MOST_FRAMES], loop[LOOP];
static StreamInfo info = {1, 0.0, 0.0, 48000.0};
static char stream_memory;

static int option(const char* name, int otherwise) {
    const char* text = getenv(name);
    return text == NULL || text[0] == 0 ? otherwise : (int)strtol(text, NULL, 0);
}

/* What is heard at a sample: noise that anybody can compute. */
static float heard(uint64_t sample, int channel) {
    uint64_t bits = (sample * 8 + (uint64_t)channel + 1) * 0x9E3779B97F4A7C15ull;
    bits ^= bits >> 31;
    bits *= 0xBF58476D1CE4E5B9ull;
    return (float)((double)(bits >> 40) / (double)(1 << 24)) - 0.5f;
}

static int make_callback(int frames, unsigned long flags) {
    const float* in[MOST_CHANNELS];
    float* out[MOST_CHANNELS];
    const int delay = option("FAKE_LOOP_BACK", 0);
    for (int channel = 0; channel < MOST_CHANNELS; ++channel) {
        in[channel] = in_memory[channel];
        out[channel] = out_memory[channel];
        for (int i = 0; i < frames; ++i) {
            const uint64_t at = position + (uint64_t)i;
            in_memory[channel][i] = delay == 0 ? heard(at, channel) : at < (uint64_t)delay ? 0.0f : loop[(at - delay) % LOOP];
            out_memory[channel][i] = 1e9f; /* a callback that leaves a sample as it was would be heard */
        }
    }
    callback(inputs == 0 || option("FAKE_NO_INPUT", 0) ? NULL : (const void*)in, outputs == 0 ? NULL : (void*)out,
             (unsigned long)frames, NULL, flags, user);
    for (int i = 0; i < frames; ++i) loop[(position + (uint64_t)i) % LOOP] = out_memory[0][i];
    position += (uint64_t)frames;
    return ++callbacks;
}

/* A callback on this thread, once the stream's own has ended; how many there were. -1: the stream is closed, and
 * PortAudio makes none then. -2: its own thread never ends. */
int fake_step(int frames, unsigned long flags) {
    if (callback == NULL) return -1;
    if (option("FAKE_HOLD_AFTER", 0) == 0 && option("FAKE_VANISH_AFTER", 0) == 0) return -2;
    if (!joined) pthread_join(thread, NULL);
    joined = 1;
    return make_callback(frames, flags);
}

const float* fake_played(int channel) { return out_memory[channel]; }
int fake_vanished(void) { return vanished; }

static void* drive(void* nothing) {
    struct timespec due;
    clock_gettime(CLOCK_MONOTONIC, &due);
    while (running) {
        const int count = callbacks + 1;
        const int flag_every = option("FAKE_FLAG_EVERY", 0), alternate = option("FAKE_ALTERNATE", 0);
        const int vanish = option("FAKE_VANISH_AFTER", 0), hold = option("FAKE_HOLD_AFTER", 0);
        int frames = fixed_block > 0 ? fixed_block : option("FAKE_BLOCK", 128);
        if (alternate > 0 && count % 2 == 0) frames = alternate;
        if (vanish > 0 && count > vanish) vanished = 1;
        if (vanished || (hold > 0 && count > hold)) break;
        make_callback(frames, flag_every > 0 && count % flag_every == 0 ? 0x02 | 0x04 : 0);
        due.tv_nsec += (long)(1e9 * frames / rate);
        while (due.tv_nsec >= 1000000000) {
            due.tv_nsec -= 1000000000;
            ++due.tv_sec;
        }
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
    }
    return nothing;
}

int Pa_GetVersion(void) { return option("FAKE_VERSION", 0x00130700); }
const char* Pa_GetVersionText(void) { return "PortAudio for tests"; }
int Pa_Initialize(void) {
    static const char noise[] = "noise from a sound system\n";
    return write(2, noise, sizeof noise - 1) < 0 ? -10000 : 0;
}
const char* Pa_GetErrorText(int error) {
    switch (error) {
        case -9997: return "Invalid sample rate";
        case -9998: return "Invalid number of channels";
        case -9996: return "Invalid device";
        case -9992: return "Insufficient memory";
        case -9985: return "Device unavailable";
        default: return "Another error";
    }
}
const HostError* Pa_GetLastHostErrorInfo(void) {
    static const HostError error = {0, 0, ""};
    return &error;
}
const HostApi* Pa_GetHostApiInfo(int index) {
    static const HostApi api = {1, 0, "Fake", 1, 0, 0};
    return index == 0 ? &api : NULL;
}
int Pa_GetDeviceCount(void) { return option("FAKE_DEVICES", 1); }
const Device* Pa_GetDeviceInfo(int index) {
    static Device devices[4];
    static const char* const names[] = {"one", "two", "three \x1b[31m", "\xff\xfe"};
    if (index < 0 || index >= 4 || index >= Pa_GetDeviceCount()) return NULL;
    const int channels = option("FAKE_CHANNELS", 2);
    devices[index] = (Device){2, names[index], 0, channels, channels, 0.01, 0.01, 0.1, 0.1, option("FAKE_RATE", 48000)};
    return &devices[index];
}
int Pa_GetDefaultInputDevice(void) { return Pa_GetDeviceCount() > 0 ? 0 : -1; }
int Pa_GetDefaultOutputDevice(void) { return Pa_GetDefaultInputDevice(); }

int Pa_OpenStream(void** stream, const Parameters* in, const Parameters* out, double wanted, unsigned long frames,
                  unsigned long flags, Callback* called, void* with) {
    (void)flags;
    if (option("FAKE_OPEN_ERROR", 0) != 0) return option("FAKE_OPEN_ERROR", 0);
    if ((int)wanted != option("FAKE_RATE", 48000)) return -9997;
    inputs = in == NULL ? 0 : in->channels;
    outputs = out == NULL ? 0 : out->channels;
    if (inputs > option("FAKE_CHANNELS", 2) || outputs > option("FAKE_CHANNELS", 2)) return -9998;
    if ((in != NULL && in->format != 0x80000001ul) || (out != NULL && out->format != 0x80000001ul)) return -9994;
    callback = called;
    user = with;
    rate = wanted;
    fixed_block = (int)frames;
    position = 0;
    callbacks = 0;
    vanished = 0;
    memset(loop, 0, sizeof loop);
    info.rate = wanted;
    info.output_latency = option("FAKE_BLOCK", 128) / wanted;
    *stream = &stream_memory;
    return 0;
}
int Pa_StartStream(void* stream) {
    (void)stream;
    running = 1;
    joined = 0;
    return pthread_create(&thread, NULL, drive, NULL) == 0 ? 0 : -9999;
}
int Pa_StopStream(void* stream) {
    (void)stream;
    while (vanished) pause();
    running = 0;
    if (!joined) pthread_join(thread, NULL);
    joined = 1;
    return 0;
}
int Pa_CloseStream(void* stream) {
    (void)stream;
    while (vanished) pause();
    callback = NULL; /* a call of the stream's own thread after this would not go unnoticed */
    return 0;
}
const StreamInfo* Pa_GetStreamInfo(void* stream) {
    (void)stream;
    return &info;
}
