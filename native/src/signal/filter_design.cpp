#include "signal/filter_design.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include "signal/raise.hpp"

namespace neutone_like {

namespace {

constexpr int64_t kMostTaps = 16'000'000;

// Half width in samples of the slower rate, Kaiser's beta, and the cut-off (-6 dB) as a fraction of the slower rate.
struct Specification {
    int64_t half_width;
    double beta;
    double cutoff;
};

Specification specification(Quality quality) {
    return quality == Quality::high ? Specification{48, 11.8, 0.4815} : Specification{32, 10.0, 0.4620};
}

// The modified Bessel function of the first kind and order 0, by its power series: all terms are positive, and beta
// (at most 12 here) needs some 30 of them.
double bessel_i0(double x) {
    double sum = 1.0;
    double term = 1.0;
    for (double k = 1.0; term > 1e-17 * sum; k += 1.0) {
        term *= (x / (2.0 * k)) * (x / (2.0 * k));
        sum += term;
    }
    return sum;
}

double sinc(double x) {
    const double angle = std::numbers::pi * x;
    return angle == 0.0 ? 1.0 : std::sin(angle) / angle;
}

double kaiser(double time, double half_width, double beta) {
    const double inside = 1.0 - (time / half_width) * (time / half_width);
    return inside > 0.0 ? bessel_i0(beta * std::sqrt(inside)) : 0.0;
}

}  // namespace

int64_t half_width_samples(int64_t up, int64_t down, Quality quality) {
    const int64_t half_width = specification(quality).half_width;
    return std::max(half_width, half_width * down / up);
}

RateFilter design_filter(int64_t up, int64_t down, Quality quality) {
    const Specification wanted = specification(quality);
    RateFilter filter{up, down, half_width_samples(up, down, quality), {}};
    const int64_t taps = 2 * filter.half_width;
    if (up * taps > kMostTaps) {
        raise(EngineError("Converting a rate by " + std::to_string(up) + "/" + std::to_string(down) +
                          " needs a filter with " + std::to_string(up) + " phases of " + std::to_string(taps) +
                          " taps, which is too large. Use rates with a larger common divisor."));
    }
    const double cutoff = wanted.cutoff * std::min(1.0, static_cast<double>(up) / static_cast<double>(down));
    const auto half_width = static_cast<double>(filter.half_width);
    filter.taps.reserve(static_cast<size_t>(up * taps));
    std::vector<double> row(static_cast<size_t>(taps));
    for (int64_t phase = 0; phase < up; ++phase) {
        double sum = 0.0;
        for (int64_t tap = 0; tap < taps; ++tap) {
            const double time =
                static_cast<double>(tap) - half_width + static_cast<double>(phase) / static_cast<double>(up);
            row[tap] = sinc(2.0 * cutoff * time) * kaiser(time, half_width, wanted.beta);
            sum += row[tap];
        }
        for (const double tap : row) filter.taps.push_back(static_cast<float>(tap / sum));
    }
    return filter;
}

}  // namespace neutone_like
