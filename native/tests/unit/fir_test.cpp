// Rate conversion against sines, and against itself in other pieces.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "signal/filter_design.hpp"
#include "signal/fir.hpp"

using namespace neutone_like;

namespace {

std::vector<float> convert(const RateFilter& filter, const std::vector<float>& input, int longest, uint32_t seed) {
    Fir fir;
    fir.prepare(filter, 1, longest);
    fir.start(1);
    std::mt19937 random(seed);
    std::vector<float> memory(static_cast<size_t>(fir.most_outputs()));
    std::vector<float> output;
    for (size_t position = 0; position < input.size();) {
        const auto wanted = std::uniform_int_distribution<size_t>(1, static_cast<size_t>(longest))(random);
        const size_t samples = std::min(wanted, input.size() - position);
        const float* in = input.data() + position;
        float* out = memory.data();
        const int made = fir.push(&in, static_cast<int>(samples), &out);
        REQUIRE(made <= fir.most_outputs());
        output.insert(output.end(), memory.begin(), memory.begin() + made);
        position += samples;
    }
    return output;
}

}  // namespace

TEST_CASE("a sine comes out as the same sine, at the time that the latency arithmetic says") {
    for (const auto& [up, down] : {std::pair<int64_t, int64_t>{147, 160}, {160, 147}, {1, 3}, {3, 1}}) {
        const RateFilter filter = design_filter(up, down, Quality::high);
        const double cycles = 0.05 * std::min(1.0, static_cast<double>(up) / static_cast<double>(down));
        const auto sine = [&](double sample) { return std::sin(2.0 * std::numbers::pi * cycles * sample); };
        std::vector<float> input(4000);
        for (size_t i = 0; i < input.size(); ++i) input[i] = static_cast<float>(sine(static_cast<double>(i)));
        const std::vector<float> output = convert(filter, input, 64, 1);
        const auto settled = static_cast<int64_t>(2 * filter.half_width * up / down + 2);
        REQUIRE(static_cast<int64_t>(output.size()) > settled + 500);
        double worst = 0.0;
        for (int64_t m = settled; m < static_cast<int64_t>(output.size()); ++m) {
            const double time =
                static_cast<double>(m * down + 1) / static_cast<double>(up) - static_cast<double>(filter.half_width);
            worst = std::max(worst, std::abs(output[m] - sine(time)));
        }
        CAPTURE(up);
        CHECK(worst < 1e-5);
    }
}

TEST_CASE("chunking makes no difference at all") {
    std::mt19937 random(7);
    std::vector<float> noise(3000);
    for (float& sample : noise) sample = std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
    const RateFilter filter = design_filter(160, 147, Quality::fast);
    const std::vector<float> whole = convert(filter, noise, 3000, 0);
    for (const int longest : {1, 17, 512}) CHECK(convert(filter, noise, longest, 3) == whole);
}
