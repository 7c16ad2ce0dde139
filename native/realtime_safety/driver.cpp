// Runs a shared object with the interface of neutone_like/realtime_callback.h under the checker:
//
//     LD_PRELOAD=neutone_like_realtime_safety.so neutone_like_realtime_driver CONTROLS FILE.so
//         CALLBACKS WARM_UP BLOCK_SIZE SAMPLE_RATE CHANNELS LONGEST_SECONDS REPORT_FILE_NUMBER
//
// Exit codes: 0 the report is written, 64 the run could not be begun (stderr says why).
#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <vector>

#include "neutone_like/realtime_callback.h"

namespace {

constexpr int could_not_begin = 64;  // unlikely to be the user's own

struct Settings {
    const char* controls;
    const char* path;
    int64_t callbacks;
    int64_t warm_up;
    int32_t block_size;
    double sample_rate;
    int32_t channels;
    double longest_seconds;
    int report_file;
};

template <typename Function>
Function* find(void* object, const char* name, const char* where) {
    void* address = dlsym(object, name);
    if (address == nullptr) {
        fprintf(stderr, "%s has no function %s\n", where, name);
        exit(could_not_begin);
    }
    return reinterpret_cast<Function*>(address);
}

struct Checker {
    int (*self_test)(const char*) = find<int(const char*)>(RTLD_DEFAULT, "neutone_like_rt_self_test", "LD_PRELOAD");
    int (*start)(int, int64_t, double) = find<int(int, int64_t, double)>(RTLD_DEFAULT, "neutone_like_rt_start",
                                                                         "LD_PRELOAD");
    void (*enter)() = find<void()>(RTLD_DEFAULT, "neutone_like_rt_enter", "LD_PRELOAD");
    void (*leave)() = find<void()>(RTLD_DEFAULT, "neutone_like_rt_leave", "LD_PRELOAD");
    void (*finish)() = find<void()>(RTLD_DEFAULT, "neutone_like_rt_finish", "LD_PRELOAD");
};

struct Callback {
    Callback(void* object, const char* path)
        : create(find<void*()>(object, "neutone_like_callback_create", path)),
          prepare(find<int32_t(void*, double, int32_t, int32_t)>(object, "neutone_like_callback_prepare", path)),
          process(find<void(void*, const float* const*, float* const*, int32_t)>(
              object, "neutone_like_callback_process", path)),
          destroy(find<void(void*)>(object, "neutone_like_callback_destroy", path)) {}

    void* (*create)();
    int32_t (*prepare)(void*, double, int32_t, int32_t);
    void (*process)(void*, const float* const*, float* const*, int32_t);
    void (*destroy)(void*);
    void* instance = nullptr;
};

Callback load(const char* path) {
    void* object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == nullptr) {
        fprintf(stderr, "%s can't be loaded: %s\n", path, dlerror());
        exit(could_not_begin);
    }
    return Callback(object, path);
}

void prepare(Callback& callback, const Settings& settings) {
    callback.instance = callback.create();
    if (callback.instance == nullptr) {
        fprintf(stderr, "%s: neutone_like_callback_create gave no instance\n", settings.path);
        exit(could_not_begin);
    }
    const int32_t result =
        callback.prepare(callback.instance, settings.sample_rate, settings.block_size, settings.channels);
    if (result != 0) {
        fprintf(stderr, "%s: neutone_like_callback_prepare returned %d for %g Hz, %d samples, %d channels\n",
                settings.path, result, settings.sample_rate, settings.block_size, settings.channels);
        exit(could_not_begin);
    }
}

class Noise {
public:
    float next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<float>(static_cast<int32_t>(state_ >> 32)) * (0.25f / 2147483648.0f);
    }

private:
    uint64_t state_ = 1;
};

struct Run {
    const Settings& settings;
    const Checker& checker;
    Callback& callback;
};

void* audio_thread(void* argument) {
    const Run& run = *static_cast<const Run*>(argument);
    const size_t channels = static_cast<size_t>(run.settings.channels);
    const size_t samples = static_cast<size_t>(run.settings.block_size);
    std::vector<float> input(channels * samples), output(channels * samples);
    std::vector<const float*> in;
    std::vector<float*> out;
    for (size_t channel = 0; channel < channels; ++channel) {
        in.push_back(&input[channel * samples]);
        out.push_back(&output[channel * samples]);
    }
    Noise noise;
    for (int64_t index = 0; index < run.settings.callbacks; ++index) {
        for (float& sample : input) sample = noise.next();
        run.checker.enter();
        run.callback.process(run.callback.instance, in.data(), out.data(), run.settings.block_size);
        run.checker.leave();
    }
    return nullptr;
}

int run(const Settings& settings) {
    const Checker checker;
    if (checker.self_test(settings.controls) != 0) {
        fprintf(stderr, "the controls in %s can't be run\n", settings.controls);
        return could_not_begin;
    }
    Callback callback = load(settings.path);
    prepare(callback, settings);
    if (checker.start(settings.report_file, settings.warm_up, settings.longest_seconds) != 0) return could_not_begin;
    Run whole{settings, checker, callback};
    pthread_t thread;
    if (pthread_create(&thread, nullptr, audio_thread, &whole) != 0) return could_not_begin;
    pthread_join(thread, nullptr);
    checker.finish();
    callback.destroy(callback.instance);
    return 0;
}

}  // namespace

int main(int count, char** words) {
    if (count != 10) {
        fprintf(stderr,
                "usage: %s CONTROLS FILE.so CALLBACKS WARM_UP BLOCK_SIZE SAMPLE_RATE CHANNELS LONGEST_SECONDS "
                "REPORT_FILE_NUMBER\n",
                words[0]);
        return could_not_begin;
    }
    return run({words[1], words[2], atoll(words[3]), atoll(words[4]), atoi(words[5]), atof(words[6]), atoi(words[7]),
                atof(words[8]), atoi(words[9])});
}
