// The kernels that move or scan elements, against the loops that define them.
#include <cmath>

#include "kernel_step.hpp"

using namespace kernel_step_test;

namespace {

double rounded(double value, uint32_t type) {
    return type == kFloat32 ? static_cast<double>(static_cast<float>(value)) : value;
}

// Runs `step` with every table and compares its first tensor with what is expected, to so many units of its type.
void expect(KernelStep& step, const std::function<double(const Dims&)>& expected, double tolerance = 0.0) {
    for (const KernelTable* table : tables()) {
        CAPTURE(table->name);
        step.run(*table);
        bool is_equal = true;
        each_index(step[0].dims(), [&](const Dims& index) {
            const double wanted = rounded(expected(index), step[0].view().type), got = step[0](index);
            const bool same = std::isnan(wanted)
                                  ? std::isnan(got)
                                  : wanted == got || std::abs(wanted - got) <= tolerance * std::abs(wanted);
            is_equal = is_equal && same;
        });
        CHECK(is_equal);
    }
}

Dims random_dims(std::mt19937& random, int rank, int most) {
    Dims dims(static_cast<size_t>(rank));
    for (int& d : dims) d = between(random, 1, most);
    return dims;
}

}  // namespace

TEST_CASE("a copy has every element where it belongs, whatever the strides and types") {
    std::mt19937 random(1);
    for (int trial = 0; trial < 300; ++trial) {
        const int rank = between(random, 0, kMaximumRank);
        Dims dims = random_dims(random, rank, rank < 3 ? 70 : rank == 3 ? 12 : 4);
        if (rank > 0 && trial % 20 == 0) dims[0] = 0;
        KernelStep step(kCopy);
        step.add(dims, any_type(random), random);
        step.add(dims, any_type(random), random).fill_random(random);
        if (rank > 1 && trial % 5 == 0) step[1].repeat(between(random, 0, rank - 1)).fill_random(random);
        expect(step, [&](const Dims& index) { return step[1](index); });
    }
}

TEST_CASE("gathered elements are those that the numbers name, and numbers outside take the nearest end") {
    std::mt19937 random(2);
    for (int trial = 0; trial < 100; ++trial) {
        const Dims out = random_dims(random, 3, 12);
        const int from = between(random, 1, 9);
        KernelStep step(kGather);
        step.add(out, any_type(random), random);
        step.add({out[0], from, out[2]}, any_type(random), random).fill_random(random);
        const bool is_each = trial % 2 == 0;
        step.add(is_each ? out : Dims{out[1]}, any_type(random), random);
        if (is_each && trial % 4 == 0) step[2].repeat(2);
        step[2].fill([&](const Dims&) {
            const int special = between(random, 0, 20);
            if (special == 0) return std::nan("");
            if (special == 1) return 1e30;
            if (special == 2) return -HUGE_VAL;
            return static_cast<double>(between(random, -2 * from, 2 * from));
        });
        expect(step, [&](const Dims& index) {
            double number = step[2](is_each ? index : Dims{index[1]});
            if (number < 0.0) number += from;
            const int place = std::isnan(number) ? 0 : static_cast<int>(std::clamp(number, 0.0, from - 1.0));
            return step[1]({index[0], place, index[2]});
        });
    }
}

TEST_CASE("running sums, products and maxima are those of all elements so far") {
    std::mt19937 random(3);
    for (int trial = 0; trial < 60; ++trial) {
        const Dims dims = {between(random, 1, 4), between(random, 1, trial < 5 ? 600 : 150)};
        KernelStep step(kCumulative);
        step.add(dims, any_type(random), random);
        step.add(dims, any_type(random), random).fill_random(random, 0.9, 1.1);
        if (trial % 10 == 0) step[1].set({0, dims[1] / 2}, std::nan(""));
        const int32_t kind = trial % 3;
        step.integers() = {kind};
        expect(
            step,
            [&](const Dims& index) {
                double value = step[1]({index[0], 0});
                for (int t = 1; t <= index[1]; ++t) {
                    const double next = step[1]({index[0], t});
                    if (kind == 0) value += next;
                    if (kind == 1) value *= next;
                    if (kind == 2) value = std::isnan(value) || std::isnan(next) ? std::nan("") : std::max(value, next);
                }
                return value;
            },
            1e-12);
    }
}

TEST_CASE("frames are added where they overlap") {
    std::mt19937 random(4);
    for (int trial = 0; trial < 100; ++trial) {
        const int channels = between(random, 1, 3), frames = between(random, 0, 20), length = between(random, 1, 20);
        const int hop = between(random, 1, 12), more = between(random, 0, 5);
        KernelStep step(kOverlapAdd);
        step.add({channels, std::max(0, (frames - 1) * hop + length) + more}, kFloat32, random);
        step.add({channels, frames, length}, kFloat32, random).fill([&](const Dims&) {
            return between(random, -99, 99);
        });
        step.integers() = {hop};
        expect(step, [&](const Dims& index) {
            double sum = 0.0;
            for (int f = 0; f < frames; ++f) {
                const int k = index[1] - f * hop;
                if (k >= 0 && k < length) sum += step[1]({index[0], f, k});
            }
            return sum;
        });
    }
}

TEST_CASE("a recurrence is the same in one piece and in several, and the loop that defines it") {
    std::mt19937 random(5);
    for (int trial = 0; trial < 60; ++trial) {
        const int rows = between(random, 1, 3), states = between(random, 1, trial % 2 == 0 ? 4 : 16);
        const int steps = between(random, 0, states > 4 ? 50 : 150);
        KernelStep step(kRecurrence);
        step.add({rows, states, steps}, any_type(random), random);
        const bool is_each = trial % 3 == 0;
        step.add(is_each ? Dims{rows, states, states, steps} : Dims{states, states, steps}, any_type(random), random);
        if (trial / 2 % 2 == 0) step[1].repeat(is_each ? 3 : 2);
        const double largest = states > 4 ? 1.6 / states : 0.4;  // so that sums stay small
        step[1].fill_random(random, -largest, largest);
        step.add({rows, states, steps}, any_type(random), random).fill_random(random);
        step.add({rows, states}, kFloat64, random).fill_random(random);
        std::vector<std::vector<double>> before;
        for (int r = 0; r < rows; ++r)
            for (int i = 0; i < states; ++i) before.push_back({step[3]({r, i})});
        const auto state_after = [&](int r, int i, int t) {
            std::vector<double> s;
            for (int j = 0; j < states; ++j) s.push_back(before[r * states + j][0]);
            for (int u = 0; u <= t; ++u) {
                std::vector<double> next(s.size());
                for (int k = 0; k < states; ++k) {
                    next[k] = step[2]({r, k, u});
                    for (int j = 0; j < states; ++j)
                        next[k] += step[1](is_each ? Dims{r, k, j, u} : Dims{k, j, u}) * s[j];
                }
                s = next;
            }
            return s[i];
        };
        for (const KernelTable* table : tables()) {
            CAPTURE(table->name);
            step.run(*table);
            double worst = 0.0;
            for (int r = 0; r < rows; ++r)
                for (int i = 0; i < states; ++i) {
                    worst = std::max(worst, std::abs(step[3]({r, i}) - state_after(r, i, steps - 1)));
                    for (int t = 0; t < steps; t += 7)
                        worst = std::max(
                            worst, std::abs(step[0]({r, i, t}) - rounded(state_after(r, i, t), step[0].view().type)));
                }
            CHECK(worst < (step[0].view().type == kFloat32 ? 1e-6 : 1e-12));
        }
    }
}

TEST_CASE("the place of the extreme is that of the first, and of NaN before any number") {
    std::mt19937 random(6);
    for (int trial = 0; trial < 100; ++trial) {
        const int batch = between(random, 1, 5), count = between(random, 1, 40);
        KernelStep step(kArgument);
        step.add({batch}, any_type(random), random);
        step.add({batch, count}, any_type(random), random).fill([&](const Dims&) { return between(random, -3, 3); });
        if (trial % 4 == 0) step[1].set({0, count / 2}, std::nan(""));
        step.integers() = {trial % 2};
        expect(step, [&](const Dims& index) {
            int best = 0;
            for (int i = 1; i < count; ++i) {
                const double value = step[1]({index[0], i}), so_far = step[1]({index[0], best});
                if (std::isnan(so_far)) break;
                if (std::isnan(value) || (trial % 2 == 0 ? value > so_far : value < so_far)) best = i;
            }
            return static_cast<double>(best);
        });
    }
}
