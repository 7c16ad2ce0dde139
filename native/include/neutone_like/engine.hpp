// engine.h in C++: objects that clean up after themselves, and exceptions off the audio thread. Header-only; C++17.
//
//     nl::Engine engine;
//     nl::Session session = engine.open("model.nlc");
//     session.prepare({.sample_rate = 44100, .block_size = 256});     // or nl::Host, member by member, before C++20
//     session.set("drive", 24.0);
//     ...
//     session.process(in, out, 256);                                   // in the audio callback
//
// Who may call what is as engine.h says: functions that are noexcept are for the audio thread too, all others are not.
#ifndef NEUTONE_LIKE_ENGINE_HPP
#define NEUTONE_LIKE_ENGINE_HPP

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "neutone_like/engine.h"

namespace nl {

// What a call off the audio thread threw; the message is for a person.
class Error : public std::runtime_error {
public:
    explicit Error(nl_result result) : std::runtime_error(nl_last_error()), result_(result) {}
    nl_result result() const noexcept { return result_; }

private:
    nl_result result_;
};

inline void check(nl_result result) {
    if (result != NL_SUCCESS) throw Error(result);
}

// What a host promises, and wishes: see nl_host.
struct Host {
    int sample_rate = 48000;  // Hz
    int block_size = 512;     // samples
    int channels = 2;
    bool varying_blocks = false;
    int mode = NL_ASYNC;
    int late_policy = NL_FADE;
    double max_inference_seconds = 0.0;
    double queue_seconds = 2.0;
    double wait_fraction = 0.0;
};

// A knob or a choice: see nl_parameter.
struct Parameter {
    std::string name;
    std::string description;
    std::string unit;
    std::vector<std::string> labels;  // of a choice, whose values are their indices
    double minimum = 0.0;
    double maximum = 1.0;
    double default_value = 0.0;
};

class Session {
public:
    // Not real time. They throw Error.
    void prepare(const Host& host) {
        nl_host wanted = NL_HOST_INIT;
        wanted.sample_rate = host.sample_rate;
        wanted.block_size = host.block_size;
        wanted.channels = host.channels;
        wanted.varying_blocks = host.varying_blocks ? 1 : 0;
        wanted.mode = host.mode;
        wanted.late_policy = host.late_policy;
        wanted.max_inference_seconds = host.max_inference_seconds;
        wanted.queue_seconds = host.queue_seconds;
        wanted.wait_fraction = host.wait_fraction;
        check(nl_prepare(session_.get(), &wanted));
    }
    void reset() { check(nl_reset(session_.get())); }
    void process_offline(const float* const* in, float* const* out, int64_t samples) {
        check(nl_process_offline(session_.get(), in, out, samples));
    }
    void set(const char* name, double value) { check(nl_set_parameter(session_.get(), name, value)); }
    void set(const char* name, const char* text) { set(name, from_text(find(name), text)); }
    double get(const char* name) const {
        double value = 0.0;
        check(nl_get_parameter(session_.get(), name, &value));
        return value;
    }
    int find(const char* name) const {
        int32_t index = 0;
        check(nl_find_parameter(session_.get(), name, &index));
        return index;
    }
    std::string to_text(int index, double value) const {
        char text[1024];
        check(nl_parameter_to_text(session_.get(), index, value, text, sizeof text));
        return text;
    }
    double from_text(int index, const char* text) const {
        double value = 0.0;
        check(nl_parameter_from_text(session_.get(), index, text, &value));
        return value;
    }
    nl_model_info info() const {
        nl_model_info info = NL_MODEL_INFO_INIT;
        check(nl_get_model_info(session_.get(), &info));
        return info;
    }
    std::vector<Parameter> parameters() const {
        std::vector<Parameter> all;
        for (int32_t index = 0; index < info().parameter_count; ++index) {
            nl_parameter one = NL_PARAMETER_INIT;
            check(nl_get_parameter_info(session_.get(), index, &one));
            all.push_back({one.name,
                           one.description,
                           one.unit,
                           {one.labels, one.labels + one.label_count},
                           one.minimum,
                           one.maximum,
                           one.default_value});
        }
        return all;
    }
    nl_statistics statistics() const {
        nl_statistics statistics = NL_STATISTICS_INIT;
        check(nl_get_statistics(session_.get(), &statistics));
        return statistics;
    }

    // For the audio thread; results instead of exceptions.
    nl_result process(const float* const* in, float* const* out, int samples) noexcept {
        return nl_process(session_.get(), in, out, samples);
    }
    nl_result set(int index, double value) noexcept { return nl_set_parameter_at(session_.get(), index, value); }
    int64_t latency_samples() const noexcept { return nl_latency_samples(session_.get()); }
    int output_channels() const noexcept { return nl_output_channels(session_.get()); }

    // For what this class doesn't have.
    nl_session* c() const noexcept { return session_.get(); }

private:
    friend class Engine;
    explicit Session(nl_session* session) : session_(session) {}

    struct Close {
        void operator()(nl_session* session) const noexcept { nl_session_close(session); }
    };
    std::unique_ptr<nl_session, Close> session_;
};

class Engine {
public:
    // Throws Error.
    explicit Engine(int workers = 1) {
        nl_engine_options options = NL_ENGINE_OPTIONS_INIT;
        options.workers = workers;
        create(options);
    }
    explicit Engine(const nl_engine_options& options) { create(options); }

    // `backend`: the shared object that computes the model; a compiled one (.nlc) needs none. Throws Error.
    Session open(const std::string& model, const std::string& backend = "") {
        nl_session* session = nullptr;
        check(nl_session_open(engine_.get(), model.c_str(), backend.c_str(), &session));
        return Session(session);
    }

private:
    void create(const nl_engine_options& options) {
        if (nl_engine_api() != NL_ENGINE_API) {
            throw std::runtime_error("The neutone_like library has version " + std::to_string(nl_engine_api()) +
                                     " of its interface, this program was compiled for version " +
                                     std::to_string(NL_ENGINE_API) + ".");
        }
        nl_engine* engine = nullptr;
        check(nl_engine_create(&options, &engine));
        engine_.reset(engine);
    }

    struct Destroy {
        void operator()(nl_engine* engine) const noexcept { nl_engine_destroy(engine); }
    };
    std::unique_ptr<nl_engine, Destroy> engine_;
};

}  // namespace nl

#endif
