// Smoothing, mapping and alignment against a moving average over all that was ever sent.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "signal/parameter_track.hpp"

using namespace neutone_like;

namespace {

constexpr int kRate = 48000;

ParameterSpec knob(bool per_sample) {
    ParameterSpec spec;
    spec.name = "knob";
    spec.minimum = -10.0;
    spec.maximum = 30.0;
    spec.default_0to1 = 0.25f;
    spec.per_sample = per_sample;
    return spec;
}

// What the host sent, sample by sample; before it, its first value.
struct Sent {
    std::vector<double> values;

    double smoothed(int64_t position) const {
        constexpr int64_t kLength = 960;  // 20 ms
        double sum = 0.0;
        for (int64_t i = position - kLength + 1; i <= position; ++i) sum += values[std::clamp<int64_t>(i, 0, last())];
        return sum / kLength;
    }
    int64_t last() const { return static_cast<int64_t>(values.size()) - 1; }
};

}  // namespace

TEST_CASE("a jump becomes a line of 20 ms") {
    ParameterTrack track;
    track.prepare({knob(true)}, kRate, 1, 1, 0, 64, 256);
    float value = 0.25f;
    track.feed(&value, 64);
    CHECK_FALSE(track.is_moving());
    value = 0.75f;
    float out[64];
    for (int64_t position = 64; position < 1600; position += 64) {
        track.feed(&value, 64);
        track.read(0, position, 64, position, out);
        for (int i = 0; i < 64; ++i) {
            const double along = std::min(1.0, static_cast<double>(position + i - 64 + 1) / 960.0);
            CHECK(out[i] == doctest::Approx(20.0 * along).epsilon(1e-5));  // from 0 to 20
        }
    }
    for (int blocks = 0; blocks < 40; ++blocks) track.feed(&value, 64);
    CHECK_FALSE(track.is_moving());
}

TEST_CASE("random moves, random blocks, at the model's own rate: values belong to their audio") {
    const int64_t half_width = 52;
    for (const auto& [up, down] : {std::pair<int64_t, int64_t>{1, 1}, {147, 160}, {160, 147}}) {
        ParameterTrack track;
        const int64_t width = up == down ? 0 : half_width;
        track.prepare({knob(true), knob(false)}, kRate, up, down, width, 64, 400);
        std::mt19937 random(2);
        Sent sent;
        int64_t model = 0;
        double worst = 0.0;
        float values[] = {0.25f, 0.25f};
        for (int call = 0; call < 150; ++call) {
            const int samples = std::uniform_int_distribution<int>(1, 64)(random);
            if (call % 13 == 5) values[0] = values[1] = std::uniform_real_distribution<float>(0.0f, 1.0f)(random);
            track.feed(values, samples);
            sent.values.insert(sent.values.end(), static_cast<size_t>(samples), static_cast<double>(values[0]));
            const int64_t known = static_cast<int64_t>(sent.values.size()) * up / down;
            for (; model + 16 < known; model += 16) {
                float rows[16];
                float block;
                track.read(0, model, 16, model, rows);
                track.read(1, model, 16, model, &block);
                for (int64_t i = 0; i < 16; ++i) {
                    // Model sample m sounds at host time (m * down + 1) / up - half_width; between samples, a line.
                    const int64_t numerator = up == down ? model + i : (model + i) * down + 1;
                    const int64_t whole = up == down ? numerator : numerator / up - width;
                    const double part =
                        up == down ? 0.0 : static_cast<double>(numerator % up) / static_cast<double>(up);
                    const double expected =
                        sent.smoothed(whole) * (1.0 - part) + (part > 0.0 ? sent.smoothed(whole + 1) * part : 0.0);
                    worst = std::max(worst, std::abs(rows[i] - (expected * 40.0 - 10.0)));
                }
                worst = std::max(worst, static_cast<double>(std::abs(block - rows[0])));
            }
        }
        CAPTURE(up);
        CHECK(worst < 1e-3);  // of 40
    }
}

TEST_CASE("a choice is never smoothed, nor between two labels") {
    ParameterSpec spec;
    spec.maximum = 3.0;
    spec.categorical = true;
    spec.smoothing_seconds = 0.0;
    ParameterTrack track;
    track.prepare({spec}, kRate, 147, 160, 52, 16, 400);
    std::mt19937 random(4);
    int64_t fed = 0;
    for (int call = 0; call < 100; ++call) {
        const float value = static_cast<float>(std::uniform_int_distribution<int>(0, 3)(random)) / 3.0f;
        track.feed(&value, 16);
        fed += 16;
        float out;
        track.read(0, fed * 147 / 160 - 4, 4, fed * 147 / 160 - 4, &out);
        CHECK(out == std::floor(out));
        CHECK(out >= 0.0f);
        CHECK(out <= 3.0f);
    }
}

TEST_CASE("automation is what it would be as values sent one by one") {
    ParameterTrack one;
    ParameterTrack other;
    one.prepare({knob(true)}, kRate, 1, 1, 0, 32, 64);
    other.prepare({knob(true)}, kRate, 1, 1, 0, 32, 64);
    std::vector<float> curve(3200);
    for (size_t i = 0; i < curve.size(); ++i) curve[i] = i < 700 ? 0.5f : static_cast<float>(i % 400) / 400.0f;
    const float* rows[] = {curve.data()};
    for (int64_t position = 0; position < static_cast<int64_t>(curve.size()); position += 32) {
        one.feed_automation(rows, position, 32);
        for (int64_t i = 0; i < 32; ++i) other.feed(&curve[position + i], 1);
        float out[32];
        float expected[32];
        one.read(0, position, 32, position, out);
        other.read(0, position, 32, position, expected);
        for (int i = 0; i < 32; ++i) CHECK(out[i] == doctest::Approx(expected[i]).epsilon(1e-5));
    }
}
