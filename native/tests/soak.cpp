// Many sessions opened, played, reset and closed at random, for ever so many callbacks: every sample must be the right
// one, and memory must not grow. Run it under ThreadSanitizer and AddressSanitizer with `make sanitize`.
//
//   soak [callbacks=1000000] [sessions=16] [workers=2] [seed=1] [slip]
//
// With `slip` the model loses a sample now and then, and the soak must fail.
//
// What is played is a counter of samples through a model that gives its input back, so that a lost, doubled or
// misplaced sample shows as a wrong number. Callbacks are not paced; a session is only called while its queue has room.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/builtin_backends.hpp"
#include "engine/engine.hpp"

namespace {

using namespace neutone_like;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr float kPeriod = 1 << 20;  // counts that float32 holds exactly

double resident_megabytes() {
    std::ifstream file("/proc/self/statm");
    long pages = 0;
    long resident = 0;
    file >> pages >> resident;
    return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// Gives its input back, but one block in a thousand a sample early.
nl_status slip(void* instance, const nl_block* block, nl_error error) {
    static std::atomic<int> blocks{0};
    const nl_status status = builtin_backend("identity")->process(instance, block, error);
    const bool measured = block->audio_in[block->samples - 1] < 1.0f;  // on quiet noise, and not on counts
    if (!measured && ++blocks % 1000 == 0)
        std::copy(block->audio_out + 1, block->audio_out + block->samples, block->audio_out);
    return status;
}

std::vector<InstancePtr> instances(const nl_backend& backend, int count) {
    std::vector<InstancePtr> made;
    for (int i = 0; i < count; ++i) made.push_back(Instance::create(&backend, "", ""));
    return made;
}

// One session and what it should give: the count of its input, `latency` samples late, or 0 where it was not in time.
class Voice {
public:
    Voice(Engine& engine, const nl_backend& backend, std::mt19937& random) {
        const int hosts[] = {32, 64, 100, 128, 256, 441};
        const int models[] = {0, 64, 128, 300, 512};
        config_.channels = config_.in_channels = config_.out_channels = 1 + static_cast<int>(random() % 2);
        config_.block_size = hosts[random() % 6];
        config_.model_block = models[random() % 5];
        config_.sample_rate = config_.model_rate = 48000;
        config_.instances = 1 + static_cast<int>(random() % 2);
        config_.mode = random() % 4 == 0 ? Mode::inline_ : Mode::async;
        config_.max_inference_seconds = 0.001;
        config_.queue_seconds = 0.2;
        if (config_.mode == Mode::async && random() % 3 == 0) config_.wait_fraction = 0.5;
        session_ = engine.open(config_, instances(backend, config_.instances));
        for (int channel = 0; channel < config_.channels; ++channel) {
            in_.emplace_back(config_.block_size);
            out_.emplace_back(config_.block_size);
        }
    }

    // One callback; false when something came out that should not have.
    bool play(std::mt19937& random) {
        const bool vary = random() % 50 == 0;
        const int samples = vary ? 1 + static_cast<int>(random() % config_.block_size) : config_.block_size;
        std::vector<const float*> in;
        std::vector<float*> out;
        for (int channel = 0; channel < config_.channels; ++channel) {
            for (int i = 0; i < samples; ++i) in_[channel][i] = value(sent_ + i);
            in.push_back(in_[channel].data());
            out.push_back(out_[channel].data());
        }
        const int64_t missing_before = static_cast<int64_t>(session_->stats().missing_samples);
        if (session_->process(in.data(), out.data(), samples) != ProcessResult::ok) return report("process refused", 0);
        const int64_t latency = session_->latency_samples();
        if (latency != latency_) {  // blocks vary from now on: silence went in once
            skip_ = latency - latency_;
            latency_ = latency;
        }
        const int64_t missing = static_cast<int64_t>(session_->stats().missing_samples) - missing_before;
        int64_t wrong = 0;
        int64_t silent = 0;  // silence that is right, whether it is the stream's or stands for a late sample
        for (int i = 0; i < samples; ++i) {
            const int64_t position = sent_ + i - latency;
            const float expected = skip_ > 0 || position < 0 ? 0.0f : value(position);
            if (skip_ > 0) --skip_;
            if (expected == 0.0f && out_[0][i] == 0.0f) ++silent;
            for (int channel = 0; channel < config_.channels; ++channel) {
                if (out_[channel][i] != expected) {
                    ++wrong;
                    break;
                }
            }
        }
        sent_ += samples;
        missing_ += missing;
        if (wrong > missing || missing > wrong + silent) {
            return report("the samples that are wrong are not those counted as missing, by", wrong - missing);
        }
        return true;
    }

    bool reset() {
        session_->reset();
        sent_ = 0;
        skip_ = 0;
        latency_ = session_->latency_samples();
        return true;
    }

    void rest() {  // an unpaced caller waits for the workers now and then
        if (!session_->is_closed()) session_->wait_idle();
    }

    int64_t missing() const { return missing_; }
    void close() { session_->close(); }
    void start() { latency_ = session_->latency_samples(); }

private:
    static float value(int64_t position) { return static_cast<float>(position % static_cast<int64_t>(kPeriod)) + 1.0f; }

    bool report(const char* what, int64_t number) const {
        std::printf("%s (%lld): host block %d, model block %d, instances %d, %s\n", what,
                    static_cast<long long>(number), config_.block_size, config_.model_block, config_.instances,
                    config_.mode == Mode::async ? "async" : "inline");
        return false;
    }

    SessionConfig config_;
    std::shared_ptr<Session> session_;
    std::vector<std::vector<float>> in_;
    std::vector<std::vector<float>> out_;
    int64_t sent_ = 0;
    int64_t latency_ = 0;
    int64_t skip_ = 0;
    int64_t missing_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    const auto argument = [&](int index, long otherwise) { return argc > index ? std::atol(argv[index]) : otherwise; };
    const long callbacks = argument(1, 1'000'000);
    const long sessions = argument(2, 16);
    EngineConfig config;
    config.workers = static_cast<int>(argument(3, 2));
    config.realtime_priority = false;
    std::mt19937 random(static_cast<unsigned>(argument(4, 1)));
    nl_backend backend = *builtin_backend("identity");
    if (argc > 5) backend.process = slip;
    Engine engine(config);
    std::vector<std::unique_ptr<Voice>> voices(static_cast<size_t>(sessions));
    int64_t missing = 0;
    const auto close = [&](std::unique_ptr<Voice>& voice) {
        if (voice == nullptr) return;
        missing += voice->missing();
        voice->close();
        voice = nullptr;
    };
    const auto renew = [&](std::unique_ptr<Voice>& voice) {
        close(voice);
        voice = std::make_unique<Voice>(engine, backend, random);
        voice->start();
    };
    for (auto& voice : voices) renew(voice);
    long failures = 0;
    long renewed = 0;
    double settled = 0.0;
    double most = 0.0;
    for (long callback = 0; callback < callbacks && failures < 10; ++callback) {
        auto& voice = voices[random() % voices.size()];
        if (!voice->play(random)) ++failures;
        if (random() % 64 == 0) voice->rest();
        if (random() % 500 == 0) voice->reset();
        if (random() % 2000 == 0) {
            renew(voice);
            ++renewed;
        }
        // Sessions differ in size, so memory is looked at while none is open.
        if (callback % std::max(callbacks / 20, 1L) == 0) {
            for (auto& each : voices) close(each);
            malloc_trim(0);
            const double now = resident_megabytes();
            (callback <= callbacks / 4 ? settled : most) = std::max(callback <= callbacks / 4 ? settled : most, now);
            for (auto& each : voices) renew(each);
        }
    }
    for (auto& voice : voices) close(voice);
    engine.close();
    std::printf(
        "%ld callbacks, %ld sessions opened anew, %ld failures; %lld samples late and counted; resident memory %.1f MB in "
        "the first quarter, %.1f MB at most after it\n",
        callbacks, renewed, failures, static_cast<long long>(missing), settled, most);
    const bool flat = kSanitized || most <= settled + 5.0;  // sanitizers keep freed memory
    if (!flat) std::printf("memory grew by more than 5 MB\n");
    return failures == 0 && flat ? 0 : 1;
}
