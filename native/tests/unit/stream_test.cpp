// Front, model and back in a row: what a host hears of a model that does nothing is its input, `latency` later.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

#include "signal/back.hpp"
#include "signal/filter_design.hpp"
#include "signal/front.hpp"

using namespace neutone_like;

namespace {

struct Stream {
    SessionConfig config;
    StreamPlan plan;
    StreamFront front;
    StreamBack back;
    AudioRing input;
    PacketRing packets;
    AudioRing output;
    ModelBlock block;
    int64_t pushed = 0;
    int64_t published = 0;

    Stream(int host_rate, int model_rate, int host_block, int model_block, bool varying) {
        config.sample_rate = host_rate;
        config.model_rate = model_rate;
        config.block_size = host_block;
        config.model_block = model_block;
        config.varying_blocks = varying;
        config.channels = config.in_channels = config.out_channels = 1;
        if (host_rate != model_rate) {
            const int64_t divisor = std::gcd(host_rate, model_rate);
            config.filter_in = design_filter(model_rate / divisor, host_rate / divisor, Quality::high);
            config.filter_out = design_filter(host_rate / divisor, model_rate / divisor, Quality::high);
        }
        check_config(config);
        plan = StreamPlan::make(config, 0);
        front.prepare(config, plan);
        back.prepare(config, plan, 0, 1);
        input.prepare(1, 1 << 15);
        packets.prepare(1 << 15, 0);
        output.prepare(1, 1 << 16);
        block.prepare(config, plan.longest_block, 0);
        published = back.start(output);
    }

    void call(const float* in, float* out, int samples) {
        input.write(pushed, &in, 0, samples);
        packets.push(Packet{samples, 0}, 0);
        while (front.next(packets, input, block)) {
            std::copy_n(block.input.begin(), block.samples, block.output.begin());
            published += back.push(block, output, published);
        }
        REQUIRE(published >= pushed + samples);  // never late
        output.read(pushed, &out, 0, samples);
        pushed += samples;
    }
};

void check_delay(Stream& stream, bool vary, double tolerance) {
    const auto tone = [&](double n) { return n < 0.0 ? 0.0 : 0.5 * std::sin(2.0 * std::numbers::pi * 0.02 * n); };
    const int64_t latency = stream.plan.latency;
    std::mt19937 random(5);
    std::vector<float> in(6000);
    std::vector<float> out(in.size());
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(tone(static_cast<double>(i)));
    for (int position = 0; position < static_cast<int>(in.size());) {
        int samples = stream.config.block_size;
        if (vary) samples = std::uniform_int_distribution<int>(1, samples)(random);
        samples = std::min(samples, static_cast<int>(in.size()) - position);
        if (!vary && samples < stream.config.block_size) break;
        stream.call(in.data() + position, out.data() + position, samples);
        position += samples;
    }
    double worst = 0.0;
    const int64_t settled = latency + (stream.plan.resampling ? 400 : 0);
    for (int64_t n = settled; n < stream.pushed; ++n) {
        worst = std::max(worst, std::abs(out[n] - tone(static_cast<double>(n - latency))));
    }
    CHECK(worst < tolerance);
}

}  // namespace

TEST_CASE("at equal rates the input comes back bit by bit, with the least delay") {
    for (const auto& [host, model] : {std::pair<int, int>{64, 64}, {64, 48}, {17, 64}, {100, 1}, {64, 0}}) {
        CAPTURE(host);
        CAPTURE(model);
        Stream stream(48000, 48000, host, model, false);
        CHECK(stream.plan.latency == (model == 0 ? 0 : model - std::gcd(host, model)));
        check_delay(stream, false, 1e-7);
    }
}

TEST_CASE("a host whose blocks vary gets everything too") {
    Stream stream(48000, 48000, 96, 64, true);
    CHECK(stream.plan.latency == 63);
    check_delay(stream, true, 1e-7);
}

TEST_CASE("through another rate and back, the delay is the whole number that is reported") {
    for (const auto& [host, model] :
         {std::pair<int, int>{48000, 44100}, {44100, 48000}, {48000, 16000}, {96000, 44100}}) {
        CAPTURE(host);
        CAPTURE(model);
        Stream fixed(host, model, 128, 512, false);
        check_delay(fixed, false, 2e-4);  // a twentieth of a sample of this tone would be 6e-3
        Stream varying(host, model, 128, 0, true);
        check_delay(varying, true, 2e-4);
    }
}

TEST_CASE("NaN and Inf of the host become silence, and are counted") {
    Stream stream(48000, 48000, 4, 0, false);
    const float in[] = {1.0f, NAN, INFINITY, 0.5f};
    float out[4];
    stream.call(in, out, 4);
    CHECK(std::vector<float>(out, out + 4) == std::vector<float>{1.0f, 0.0f, 0.0f, 0.5f});
    CHECK(stream.front.take_nonfinite_count() == 2);
    CHECK(stream.front.take_nonfinite_count() == 0);
}

TEST_CASE("mono and stereo become each other") {
    AudioBuffer from;
    AudioBuffer memory;
    from.prepare(2, 3);
    memory.prepare(2, 3);
    for (int i = 0; i < 3; ++i) {
        from.channel(0)[i] = static_cast<float>(i);
        from.channel(1)[i] = 1.0f;
    }
    float* const* mono = convert_channels(from.rows(), 2, 1, memory, 3);
    CHECK(std::vector<float>(mono[0], mono[0] + 3) == std::vector<float>{0.5f, 1.0f, 1.5f});
    float* const* stereo = convert_channels(from.rows(), 1, 2, memory, 3);
    CHECK(std::vector<float>(stereo[1], stereo[1] + 3) == std::vector<float>{0.0f, 1.0f, 2.0f});
    CHECK(convert_channels(from.rows(), 2, 2, memory, 3) == from.rows());
}

TEST_CASE("which channel counts meet, and what the host gets back") {
    const auto given_back = [](int host, int in, int out, LatePolicy late_policy = LatePolicy::fade) {
        SessionConfig config;
        config.channels = host;
        config.in_channels = in;
        config.out_channels = out;
        config.late_policy = late_policy;
        try {
            check_config(config);
        } catch (const EngineError&) {
            return 0;
        }
        return output_channels(config);
    };
    CHECK(given_back(1, 2, 1) == 1);
    CHECK(given_back(2, 1, 1) == 2);
    CHECK(given_back(2, 2, 6) == 6);
    CHECK(given_back(1, 2, 6) == 6);
    CHECK(given_back(2, 1, 6) == 6);
    CHECK(given_back(3, 3, 2) == 2);
    CHECK(given_back(6, 6, 6, LatePolicy::dry) == 6);
    CHECK(given_back(2, 1, 2, LatePolicy::dry) == 2);
    for (const auto& [host, in, out] : {std::array{2, 3, 2}, {1, 6, 6}, {3, 2, 6}, {6, 1, 6}, {3, 1, 1}}) {
        CHECK(given_back(host, in, out) == 0);
    }
    CHECK(given_back(2, 2, 6, LatePolicy::dry) == 0);
    CHECK(given_back(3, 3, 1, LatePolicy::dry) == 0);
}
