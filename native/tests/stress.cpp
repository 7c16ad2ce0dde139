// What the soak's orderly sessions do not meet: queues that overflow again and again, control from other threads at the
// worst of times, hosts with tiny blocks, models that hang or throw. `make sanitize` runs it.
//
//   stress [rounds=20]

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/builtin_backends.hpp"
#include "engine/engine.hpp"

namespace {

using namespace neutone_like;

EngineConfig workers(int count, double watchdog_seconds = 3600.0) {
    EngineConfig config;
    config.workers = count;
    config.realtime_priority = false;
    config.watchdog_seconds = watchdog_seconds;
    return config;
}

SessionConfig mono(int host_block, int model_block, double queue_seconds) {
    SessionConfig config;
    config.channels = config.in_channels = config.out_channels = 1;
    config.block_size = host_block;
    config.model_block = model_block;
    config.queue_seconds = queue_seconds;
    config.max_inference_seconds = 0.001;
    return config;
}

std::shared_ptr<Session> open(Engine& engine, const SessionConfig& config, const std::string& options = "") {
    std::vector<InstancePtr> instances;
    for (int i = 0; i < config.instances; ++i) {
        instances.push_back(Instance::create(builtin_backend("faults"), "", options));
    }
    return engine.open(config, std::move(instances));
}

// Plays a count of samples through a model that gives its input back.
class Counter {
public:
    explicit Counter(std::shared_ptr<Session> session)
        : session_(std::move(session)), in_(session_->config().block_size), out_(in_.size()) {}

    // One callback; how many samples were wrong.
    int play(int samples) {
        for (int i = 0; i < samples; ++i) in_[i] = value(sent_ + i);
        const float* in = in_.data();
        float* out = out_.data();
        result = session_->process(&in, &out, samples);
        int wrong = 0;
        for (int i = 0; i < samples; ++i) wrong += out_[i] != value(sent_ + i - session_->latency_samples());
        sent_ += samples;
        return wrong;
    }
    int play() { return play(session_->config().block_size); }
    int64_t sent() const { return sent_; }

    ProcessResult result = ProcessResult::ok;

private:
    static float value(int64_t position) { return position < 0 ? 0.0f : static_cast<float>(position % 1000000 + 1); }

    std::shared_ptr<Session> session_;
    std::vector<float> in_;
    std::vector<float> out_;
    int64_t sent_ = 0;
};

int failures = 0;

void expect(bool right, const std::string& what) {
    if (right) return;
    std::printf("%s\n", what.c_str());
    ++failures;
}

// A caller that does not wait fills the queue; once it waits, the stream is in line again, whatever the workers met.
void overflow(long rounds) {
    std::mt19937 random(1);
    for (const int instances : {1, 2}) {
        Engine engine(workers(6));
        SessionConfig config = mono(64, 64, 0.01);
        config.instances = instances;
        const auto session = open(engine, config);
        Counter counter(session);
        for (long round = 0; round < 10 * rounds; ++round) {
            for (unsigned i = 20 + random() % 300; i > 0; --i) counter.play();
            for (int i = 0; i < 40; ++i) {
                counter.play();
                session->wait_idle();
            }
            const uint64_t missing = session->stats().missing_samples;
            const int wrong = counter.play();
            expect(wrong == 0 && session->stats().missing_samples == missing,
                   "the stream stays out of line after a restart");
            session->wait_idle();
        }
        expect(session->stats().restarts > 0, "no queue was ever full");
    }
}

// Resets, offline renderings, and sessions that come and go, while callbacks go on and queues overflow.
void control(long rounds) {
    Engine engine(workers(3));
    SessionConfig config = mono(64, 100, 0.01);
    config.instances = 2;
    const auto session = open(engine, config, "stall_ms=2\nstall_block=5\nstall_every=20\nstall_count=1000000");
    std::atomic<bool> ends{false};
    std::thread audio([&] {
        Counter counter(session);
        while (!ends) {
            counter.play();
            std::this_thread::sleep_for(std::chrono::microseconds(200));
        }
    });
    std::thread others([&] {
        while (!ends) {
            const auto other = open(engine, mono(32, 64, 0.01));
            Counter counter(other);
            for (int i = 0; i < 100; ++i) counter.play();
            other->close();
        }
    });
    std::vector<float> audio_in(777);
    for (size_t i = 0; i < audio_in.size(); ++i) audio_in[i] = static_cast<float>(i + 1);
    for (long round = 0; round < 10 * rounds; ++round) {
        std::vector<float> audio_out(audio_in.size());
        const float* in = audio_in.data();
        float* out = audio_out.data();
        session->process_offline(&in, &out, static_cast<int64_t>(audio_in.size()), nullptr);
        expect(audio_out == audio_in, "an offline rendering differs");
        session->reset();
        std::this_thread::sleep_for(std::chrono::microseconds(1000 * (round % 8)));
    }
    ends = true;
    audio.join();
    others.join();
    expect(session->stats().failed_blocks == 0, session->stats().last_error);
}

// What an embedded wrapper does: until it is reset, it lags further behind from the first block of another size on.
struct Wrapper {
    static constexpr int kDelay = 100;
    static constexpr int kGrowth = 37;

    std::deque<float> line = std::deque<float>(kDelay, 0.0f);
    int promised = 0;
};

nl_status wrapper_prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error) {
    static_cast<Wrapper*>(instance)->promised = setup->longest_block;
    facts->delay_samples = Wrapper::kDelay;
    return NL_OK;
}

nl_status wrapper_process(void* instance, const nl_block* block, nl_error) {
    Wrapper& wrapper = *static_cast<Wrapper*>(instance);
    const bool grown = wrapper.line.size() > Wrapper::kDelay;
    if (block->samples != wrapper.promised && !grown) wrapper.line.insert(wrapper.line.begin(), Wrapper::kGrowth, 0.0f);
    for (int i = 0; i < block->samples; ++i) {
        wrapper.line.push_back(block->audio_in[i]);
        block->audio_out[i] = wrapper.line.front();
        wrapper.line.pop_front();
    }
    return NL_OK;
}

nl_status wrapper_reset(void* instance, nl_error) {
    static_cast<Wrapper*>(instance)->line.assign(Wrapper::kDelay, 0.0f);
    return NL_OK;
}

// A wrapper that was reset with the stream believes the host's promise again, and so does the latency.
void embedded(long rounds) {
    const nl_backend backend{NL_BACKEND_ABI,
                             "wrapper",
                             [](const char*, const char*, void** made, nl_error) { return *made = new Wrapper, NL_OK; },
                             [](void* instance, void** copy, nl_error) {
                                 return *copy = new Wrapper(*static_cast<Wrapper*>(instance)), NL_OK;
                             },
                             wrapper_prepare,
                             wrapper_process,
                             wrapper_reset,
                             [](void* instance) { delete static_cast<Wrapper*>(instance); },
                             nullptr};
    std::mt19937 random(1);
    Engine engine(workers(2));
    SessionConfig config = mono(64, 0, 0.01);
    config.embedded = true;
    config.embedded_growth = Wrapper::kGrowth;
    std::vector<InstancePtr> instances;
    instances.push_back(Instance::create(&backend, "", ""));
    const auto session = engine.open(config, std::move(instances));
    Counter counter(session);
    for (long round = 0; round < 10 * rounds; ++round) {
        for (unsigned i = random() % 200; i > 0; --i)
            counter.play(random() % 40 == 0 ? 1 + static_cast<int>(random() % 63) : 64);
        for (int i = 0; i < 40; ++i) {
            counter.play();
            session->wait_idle();
        }
        expect(counter.play() == 0, "an embedded wrapper is out of line after a restart");
        session->wait_idle();
    }
    expect(session->stats().restarts > 0 && session->stats().inserted_silence_samples > 0, "nothing restarted or grew");
}

// A host that promises large blocks and brings small ones.
void short_blocks() {
    for (const int host_block : {512, 4096}) {
        for (const int model_block : {0, 512, 8192}) {
            for (const int samples : {1, 16}) {
                Engine engine(workers(1));
                const auto session = open(engine, mono(host_block, model_block, 0.01));
                Counter counter(session);
                int wrong = 0;
                for (int callback = 0; counter.sent() < 2 * (host_block + model_block); ++callback) {
                    wrong += counter.play(samples);
                    if (callback % 8 == 0) session->wait_idle();
                }
                expect(wrong == 0 && session->stats().missing_samples == 0,
                       "blocks of " + std::to_string(samples) + " do not fit a queue for blocks of " +
                           std::to_string(host_block) + " and a model block of " + std::to_string(model_block));
            }
        }
    }
}

// Two copies of a model that do not return leave a third worker to the other session.
void busy_instances() {
    Engine engine(workers(3));
    SessionConfig config = mono(64, 64, 1.0);
    config.instances = 2;
    const auto slow = open(engine, config, "hang_block=0\nhang_seconds=1");
    const auto quick = open(engine, mono(64, 64, 1.0));
    Counter slow_counter(slow);
    Counter quick_counter(quick);
    for (int i = 0; i < 8; ++i) slow_counter.play();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    for (int i = 0; i < 8; ++i) quick_counter.play();
    quick->wait_idle();
    expect(slow->stats().model_blocks == 0, "a session waited for another one's model while a worker was free");
    slow->wait_idle();
}

// A model that returns long after it was given up, to a session that is closed, in an engine that may be gone.
void hanging(long rounds) {
    std::mt19937 random(1);
    long hung = 0;
    for (long round = 0; round < rounds; ++round) {
        std::vector<std::shared_ptr<Session>> kept;
        {
            Engine engine(workers(1 + static_cast<int>(random() % 2), 0.05));
            const auto sick = open(engine, mono(64, 64, 0.05), "hang_block=3\nhang_seconds=0.3");
            const auto well = open(engine, mono(64, 64, 0.05));
            kept = {sick, well};
            Counter sick_counter(sick);
            Counter well_counter(well);
            const bool resets = random() % 2 == 0;
            for (int i = 0; i < 100 + static_cast<int>(random() % 300); ++i) {
                sick_counter.play();
                well_counter.play();
                try {
                    if (resets && i % 50 == 20) sick->reset();
                } catch (const EngineError&) {
                    expect(sick->stats().hung, "a reset was refused for nothing");
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            if (random() % 2 == 0) sick->close();
            hung += sick->stats().hung;
            expect(!well->stats().hung, "a session was given up for another one's model");
        }
        for (const auto& session : kept) {
            Counter counter(session);
            counter.play();
            expect(counter.result == ProcessResult::closed, "a session plays on without its engine");
        }
    }
    expect(hung > 0, "nothing was ever given up");
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until the last model has returned
}

nl_status throws(void*, const nl_block* block, nl_error) {
    if (block->samples == 64 && block->audio_in[0] == 1.0f) throw std::runtime_error("thrown across");
    for (int i = 0; i < block->samples; ++i) block->audio_out[i] = block->audio_in[i];
    return NL_OK;
}

void misuse() {
    nl_backend throwing = *builtin_backend("identity");
    throwing.process = throws;
    Engine engine(workers(1));
    std::vector<InstancePtr> instances;
    instances.push_back(Instance::create(&throwing, "", ""));
    const auto session = engine.open(mono(64, 64, 0.1), std::move(instances));
    Counter counter(session);
    counter.play();
    session->wait_idle();
    const SessionStats stats = session->stats();
    expect(stats.failed_blocks == 1 && stats.last_error == "thrown across",
           "an exception was lost: " + stats.last_error);

    DevicePlan plan;
    plan.session = session;
    plan.callbacks = std::numeric_limits<int64_t>::max() / 64 / 2;  // more than a vector can hold
    plan.record_output = true;
    bool refused = false;
    try {
        engine.run_realtime({plan});
    } catch (const std::exception&) {
        refused = true;
    }
    expect(refused, "a recording of more samples than there can be was taken");
    session->close();
}

// Closing an engine while sessions are opened leaves none that plays.
void closing(long rounds) {
    for (long round = 0; round < rounds; ++round) {
        Engine engine(workers(2));
        std::vector<std::shared_ptr<Session>> opened;
        std::thread opens([&] {
            try {
                while (true) opened.push_back(open(engine, mono(64, round % 2 ? 64 : 0, 0.05)));
            } catch (const EngineError&) {
            }
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(round % 5));
        engine.close();
        opens.join();
        for (const auto& session : opened) expect(session->is_closed(), "a session outlives its engine's end");
    }
}

}  // namespace

int main(int argc, char** argv) {
    const long rounds = argc > 1 ? std::atol(argv[1]) : 20;
    overflow(rounds);
    control(rounds);
    embedded(rounds);
    short_blocks();
    busy_instances();
    hanging(rounds / 4 + 2);
    misuse();
    closing(rounds);
    std::printf("stress: %d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
