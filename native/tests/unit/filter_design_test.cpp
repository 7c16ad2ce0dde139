// The filter against the standard library's Bessel function and against what it does to sines.
#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "signal/filter_design.hpp"

using namespace neutone_like;

namespace {

// How much of a sine at `frequency` (cycles per input sample) passes in the middle of the output, averaged over phases:
// the prototype's response, summed directly.
double gain(const RateFilter& filter, double frequency) {
    std::complex<double> sum = 0.0;
    const int64_t taps = 2 * filter.half_width;
    for (int64_t phase = 0; phase < filter.up; ++phase) {
        for (int64_t tap = 0; tap < taps; ++tap) {
            const double time = static_cast<double>(tap - filter.half_width) + static_cast<double>(phase) / filter.up;
            sum += static_cast<double>(filter.taps[phase * taps + tap]) *
                   std::polar(1.0, -2.0 * std::numbers::pi * frequency * time);
        }
    }
    return std::abs(sum) / static_cast<double>(filter.up);
}

double decibels(double value) { return 20.0 * std::log10(value); }

}  // namespace

TEST_CASE("rows sum to 1, and the whole is symmetric") {
    const RateFilter filter = design_filter(147, 160, Quality::high);
    const int64_t taps = 2 * filter.half_width;
    REQUIRE(static_cast<int64_t>(filter.taps.size()) == filter.up * taps);
    for (int64_t row = 0; row < filter.up; ++row) {
        double sum = 0.0;
        for (int64_t tap = 0; tap < taps; ++tap) sum += filter.taps[row * taps + tap];
        CHECK(sum == doctest::Approx(1.0).epsilon(1e-6));
    }
    for (int64_t row = 1; row < filter.up; ++row) {
        for (int64_t tap = 0; tap < taps; ++tap) {
            const float mirrored = filter.taps[(filter.up - row) * taps + (taps - 1 - tap)];
            CHECK(std::abs(filter.taps[row * taps + tap] - mirrored) < 1e-6f);
        }
    }
}

TEST_CASE("delays stay within what is promised") {
    CHECK(half_width_samples(147, 160, Quality::high) == 52);
    for (const auto& [up, down] : {std::pair<int64_t, int64_t>{147, 160}, {160, 147}, {1, 3}, {441, 80}}) {
        const double slower = std::min(1.0, static_cast<double>(up) / static_cast<double>(down));
        CHECK(static_cast<double>(half_width_samples(up, down, Quality::high)) * slower <= 64.0);
        CHECK(static_cast<double>(half_width_samples(up, down, Quality::fast)) * slower <= 32.0);
    }
}

TEST_CASE("48 kHz to 44.1 kHz: flat to 18 kHz, silent where it would alias") {
    const RateFilter filter = design_filter(147, 160, Quality::high);
    for (double hertz = 100.0; hertz <= 18000.0; hertz += 895.0) {
        CAPTURE(hertz);
        CHECK(std::abs(decibels(gain(filter, hertz / 48000.0))) < 0.1);
    }
    CHECK(std::abs(decibels(gain(filter, 20000.0 / 48000.0))) < 0.5);
    CHECK(decibels(gain(filter, 23000.0 / 48000.0)) < -100.0);
}

#if defined(__GLIBCXX__)  // libc++ has no Bessel functions
TEST_CASE("taps are a Kaiser-windowed sinc") {
    for (const Quality quality : {Quality::high, Quality::fast}) {
        const double beta = quality == Quality::high ? 11.8 : 10.0;
        const double cutoff = (quality == Quality::high ? 0.4815 : 0.4620) * 147.0 / 160.0;
        const RateFilter filter = design_filter(147, 160, quality);
        const int64_t taps = 2 * filter.half_width;
        for (const int64_t phase : {0, 1, 73, 146}) {
            std::vector<double> row;
            double sum = 0.0;
            for (int64_t tap = 0; tap < taps; ++tap) {
                const double time = static_cast<double>(tap - filter.half_width) + static_cast<double>(phase) / 147.0;
                const double at = time / static_cast<double>(filter.half_width);
                const double window = at * at < 1.0 ? std::cyl_bessel_i(0.0, beta * std::sqrt(1.0 - at * at)) : 0.0;
                const double angle = 2.0 * std::numbers::pi * cutoff * time;
                row.push_back(window * (angle == 0.0 ? 1.0 : std::sin(angle) / angle));
                sum += row.back();
            }
            for (int64_t tap = 0; tap < taps; ++tap) {
                CHECK(std::abs(filter.taps[phase * taps + tap] - row[tap] / sum) < 1e-7);
            }
        }
    }
}
#endif

TEST_CASE("a table that is too large is refused") {
    CHECK_THROWS_AS(design_filter(383999, 384000, Quality::high), EngineError);
}
