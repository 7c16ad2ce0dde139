// What a session is told: plain values, checked in one place.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace neutone_like {

// A wrong use, or something the engine cannot serve; the message is for a person.
class EngineError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class Mode { inline_, async };
enum class LatePolicy { fade, hold, dry };

struct ParameterSpec {
    std::string name;
    double minimum = 0.0;
    double maximum = 1.0;
    float default_0to1 = 0.0f;
    bool categorical = false;
    bool per_sample = false;
    double smoothing_seconds = 0.02;
};

// The polyphase table of one conversion: `taps` is [up][2 * half_width], as filter_design.py lays it out.
struct RateFilter {
    int64_t up = 1;
    int64_t down = 1;
    int64_t half_width = 0;
    std::vector<float> taps;
};

struct SessionConfig {
    // The host's side.
    int sample_rate = 48000;  // Hz
    int block_size = 512;     // samples; the most that one call of process may bring
    int channels = 2;
    bool varying_blocks = false;  // the host's blocks vary: latency allows for it from the start

    // The model's side.
    int model_rate = 48000;  // Hz
    int model_block = 0;     // samples; 0: any
    int in_channels = 2;
    int out_channels = 2;
    int look_behind = 0;  // model samples
    std::vector<ParameterSpec> parameters;

    // Towards the model and back; both unused at equal rates.
    RateFilter filter_in;
    RateFilter filter_out;

    // The backend adapts rates and blocks itself (the wrapper inside a `.nm`): it is given host blocks, and parameter
    // values in 0..1, a value a sample, neither mapped nor smoothed.
    bool embedded = false;
    int embedded_growth = 0;  // host samples that such a wrapper's latency grows by once the host's blocks vary

    Mode mode = Mode::async;
    LatePolicy late_policy = LatePolicy::fade;
    int instances = 1;                   // more than one: blocks of a stateless model run at the same time
    double max_inference_seconds = 0.0;  // 0: measured
    double queue_seconds = 2.0;          // how long the worker may stall before input is dropped
    double wait_fraction = 0.0;          // of a block, that a callback may wait for its worker: 0..1, without 1
};

// Where the latency comes from, in host samples; the parts add up to `total`.
struct LatencyParts {
    double resample_in = 0.0;
    double buffering = 0.0;
    double model = 0.0;
    double resample_out = 0.0;
    double inference = 0.0;  // what the audio thread waits for the worker
    int64_t total = 0;
};

// Throw EngineError that names the field, its value and what is allowed: of the host's own side, and of all of it.
void check_host(const SessionConfig& config);
void check_config(const SessionConfig& config);

}  // namespace neutone_like
