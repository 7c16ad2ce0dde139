// Plays an artifact without Python: what a plugin or a host in C++ does, in a hundred lines.
//
//   host MODEL.nm BACKEND.so [sample_rate=48000] [block_size=128] [seconds=2]
//
// BACKEND.so is the libtorch backend that was built for your torch (it finds libtorch by its run path). Instead of a
// sound card, the engine's virtual audio device calls the session at real deadlines, and says how that went.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/shared_object.hpp"

namespace {

using namespace neutone_like;

// The wrapper inside the artifact adapts rates and blocks itself, so that the host has to know nothing about the model.
SessionConfig plugin_config(int sample_rate, int block_size) {
    SessionConfig config;
    config.embedded = true;
    config.sample_rate = config.model_rate = sample_rate;
    config.block_size = block_size;
    config.channels = config.in_channels = config.out_channels = 2;
    config.mode = Mode::async;
    config.late_policy = LatePolicy::fade;
    return config;
}

void print(const char* what, const Histogram& times) {
    std::printf("%-10s p50 %8.1f us   p99 %8.1f us   p99.9 %8.1f us   max %8.1f us\n", what,
                1e-3 * static_cast<double>(times.percentile(0.5)), 1e-3 * static_cast<double>(times.percentile(0.99)),
                1e-3 * static_cast<double>(times.percentile(0.999)), 1e-3 * static_cast<double>(times.largest()));
}

int play(const std::string& model, const std::string& backend_path, int sample_rate, int block_size, double seconds) {
    const nl_backend* backend = load_backend(backend_path);
    EngineConfig engine_config;
    engine_config.workers = 1;
    Engine engine(engine_config);

    std::vector<InstancePtr> instances;
    instances.push_back(Instance::create(backend, model, "part=wrapper"));
    const auto session = engine.open(plugin_config(sample_rate, block_size), std::move(instances));

    // A real host reports this to its own host, and calls this in its audio callback:
    //     session->process(in, out, samples);
    std::printf("latency %lld samples\n", static_cast<long long>(session->latency_samples()));

    DevicePlan plan;
    plan.session = session;
    plan.callbacks = static_cast<int64_t>(seconds * sample_rate / block_size);
    const DeviceReport report = engine.run_realtime({plan}).front();
    print("callback", *report.callback_time);
    print("inference", session->inference_time());
    const SessionStats stats = session->stats();
    std::printf("%lld callbacks, %llu underruns, %llu samples missing, %llu blocks failed %s\n",
                static_cast<long long>(report.callbacks), static_cast<unsigned long long>(stats.underruns),
                static_cast<unsigned long long>(stats.missing_samples),
                static_cast<unsigned long long>(stats.failed_blocks), stats.last_error.c_str());
    return stats.failed_blocks == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: host MODEL.nm BACKEND.so [sample_rate] [block_size] [seconds]\n");
        return 2;
    }
    try {
        return play(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 48000, argc > 4 ? std::atoi(argv[4]) : 128,
                    argc > 5 ? std::atof(argv[5]) : 2.0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
