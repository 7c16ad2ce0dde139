// The affine kernel against the sum written out in double.
#include "kernel_support.hpp"

using namespace kernel_test;

namespace {

struct Affine {
    int groups, outputs, samples;
    int32_t activation = kNone;
    uint32_t flags = 0;
    std::vector<Tensor> segments = {}, addends = {};
    std::vector<float> weights = {}, bias = {};  // [groups][outputs][all rows], [groups][outputs]

    int rows() const {
        int sum = 0;
        for (const Tensor& segment : segments) sum += segment.dims()[1];
        return sum;
    }
    int panels() const { return (outputs + 3) / 4; }

    Tensor packed_weights() const {
        const int all = rows();
        std::vector<float> packed(static_cast<size_t>(groups) * panels() * 4 * all);
        for (int g = 0; g < groups; ++g) {
            for (int m = 0; m < outputs; ++m) {
                for (int k = 0; k < all; ++k) {
                    packed[((static_cast<size_t>(g) * panels() + m / 4) * all + k) * 4 + m % 4] =
                        weights[(static_cast<size_t>(g) * outputs + m) * all + k];
                }
            }
        }
        return Tensor::array(packed);
    }

    Tensor packed_bias() const {
        std::vector<float> packed(static_cast<size_t>(groups) * panels() * 4);
        for (int g = 0; g < groups; ++g) {
            for (int m = 0; m < outputs; ++m) packed[g * panels() * 4 + m] = bias[g * outputs + m];
        }
        return Tensor::array(packed);
    }

    double expected(int g, int m, int t) {
        double sum = bias[g * outputs + m];
        for (Tensor& addend : addends) sum += addend.at({g, m, t});
        size_t w = (static_cast<size_t>(g) * outputs + m) * rows();
        for (Tensor& segment : segments) {
            for (int k = 0; k < segment.dims()[1]; ++k)
                sum += static_cast<double>(weights[w++]) * segment.at({g, k, t});
        }
        return activated(activation, sum);
    }

    HandStep step(Tensor& out, Tensor& packed, Tensor& biases) {
        HandStep result;
        result.views = {out.operand(flags), packed.operand(0, false), biases.operand(0, false)};
        for (Tensor& segment : segments) result.views.push_back(segment.operand());
        for (Tensor& addend : addends) result.views.push_back(addend.operand());
        result.integers = {static_cast<int32_t>(segments.size()), static_cast<int32_t>(addends.size()), activation};
        return result;
    }
};

// Rows along time, one value for the block, overlapping rows, rows across time, or backwards in any order.
std::vector<int> any_strides(Random& random, int rows, int samples) {
    const int pitch = samples + random.whole(0, 20);
    switch (random.whole(0, 5)) {
        case 0: return {rows * 2, 2, 0};
        case 1: return {random.whole(0, 40), random.whole(0, 9), 1};
        case 2: return {rows * (samples + 2), 1, rows + random.whole(0, 5)};
        case 3: return {3, -5, -2};
        default: return {pitch * rows, pitch, 1};
    }
}

Affine any_affine(Random& random, int most_outputs, int most_rows) {
    Affine affine = {random.whole(0, 3) == 0 ? random.whole(1, 3) : 1, random.whole(1, most_outputs),
                     random.whole(1, 70)};
    affine.activation = random.whole(0, kActivations - 1);
    const int segments = random.whole(1, 3), addends = random.whole(0, 2);
    for (int s = 0; s < segments; ++s) {
        const int rows = random.whole(1, most_rows);
        affine.segments.emplace_back(std::vector<int>{affine.groups, rows, affine.samples},
                                     any_strides(random, rows, affine.samples));
    }
    for (int a = 0; a < addends; ++a) {
        affine.addends.emplace_back(std::vector<int>{affine.groups, affine.outputs, affine.samples},
                                    any_strides(random, affine.outputs, affine.samples));
    }
    for (Tensor& tensor : affine.segments) tensor.fill(random);
    for (Tensor& tensor : affine.addends) tensor.fill(random);
    affine.weights = random.numbers(static_cast<size_t>(affine.groups) * affine.outputs * affine.rows());
    affine.bias = random.numbers(static_cast<size_t>(affine.groups) * affine.outputs);
    return affine;
}

// The largest error relative to the sum's own length, and whether something else than the result was written.
void compare(const KernelTable& table, Affine& affine, Random& random) {
    const int pitch = (affine.samples + 15) / 16 * 16 + random.whole(0, 3);
    if (random.whole(0, 1) == 1) affine.flags = kPadded;
    Tensor out({affine.groups, affine.outputs, affine.samples}, {pitch * affine.outputs, pitch, 1});
    Tensor packed = affine.packed_weights(), biases = affine.packed_bias();
    play(table, kAffine, affine.step(out, packed, biases));
    double worst = 0.0;
    size_t others = 0;
    for (int g = 0; g < affine.groups; ++g) {
        for (int m = 0; m < affine.outputs; ++m) {
            for (int t = 0; t < affine.samples; ++t) {
                worst = std::max(worst, std::abs(out.at({g, m, t}) - affine.expected(g, m, t)));
            }
            for (int t = affine.samples; t < pitch; ++t) {
                const bool may_be_written = affine.flags == kPadded && t < (affine.samples + 15) / 16 * 16;
                others += out.at({g, m, t}) != kUntouched && !may_be_written;
            }
        }
    }
    CAPTURE(table.name);
    CAPTURE(affine.outputs);
    CAPTURE(affine.samples);
    CAPTURE(affine.rows());
    CHECK(worst < 3e-7 * (affine.rows() + 8));
    CHECK(others == 0);
}

}  // namespace

TEST_CASE("products of any shape and any strides are those of the sum in double") {
    for (const KernelTable* table : tables()) {
        Random random(1);
        for (int i = 0; i < 150; ++i) {
            Affine affine = any_affine(random, 40, 20);
            compare(*table, affine, random);
        }
    }
}

TEST_CASE("products that don't fit the caches are the same") {
    for (const KernelTable* table : tables()) {
        Random random(2);
        for (int i = 0; i < 4; ++i) {
            Affine affine = any_affine(random, 150, 500);
            compare(*table, affine, random);
        }
    }
}

TEST_CASE("a long filter over overlapping rows") {
    for (const KernelTable* table : tables()) {
        Random random(3);
        Affine affine = {1, 1, 64};
        affine.segments.emplace_back(std::vector<int>{1, 1022, 64}, std::vector<int>{0, 1, 1});
        affine.segments[0].fill(random);
        affine.weights = random.numbers(1022);
        affine.bias = {0.25f};
        compare(*table, affine, random);
    }
}

TEST_CASE("the result may take an addend's place") {
    for (const KernelTable* table : tables()) {
        for (const int rows : {12, 700}) {
            Random random(4);
            Affine affine = {1, 10, 50};
            affine.segments.emplace_back(std::vector<int>{1, rows, 50}, std::vector<int>{0, 64, 1});
            affine.segments[0].fill(random);
            affine.addends.emplace_back(std::vector<int>{1, 10, 50}, std::vector<int>{0, 64, 1});
            affine.addends[0].fill(random);
            affine.weights = random.numbers(static_cast<size_t>(10 * rows));
            affine.bias = random.numbers(10);
            Tensor kept = affine.addends[0];
            Tensor packed = affine.packed_weights(), biases = affine.packed_bias();
            Tensor& out = affine.addends[0];
            play(*table, kAffine, affine.step(out, packed, biases));
            std::swap(out, kept);
            double worst = 0.0;
            for (int m = 0; m < 10; ++m) {
                for (int t = 0; t < 50; ++t)
                    worst = std::max(worst, std::abs(kept.at({0, m, t}) - affine.expected(0, m, t)));
            }
            CHECK(worst < 3e-7 * rows);
        }
    }
}

TEST_CASE("NaN and infinity in the sound come out of products and activations") {
    for (const KernelTable* table : tables()) {
        for (int32_t activation = 0; activation < kActivations; ++activation) {
            Random random(5);
            Affine affine = {1, 5, 20};
            affine.activation = activation;
            affine.segments.emplace_back(std::vector<int>{1, 3, 20}, std::vector<int>{0, 20, 1});
            affine.segments[0].fill(random);
            const uint32_t odd_nan = 0x7fc12345;
            float nan;
            std::memcpy(&nan, &odd_nan, sizeof nan);
            affine.segments[0].at({0, 1, 7}) = nan;
            affine.segments[0].at({0, 1, 8}) = -INFINITY;
            affine.segments[0].at({0, 1, 9}) = 1e-42f;
            affine.weights.assign(15, 1.0f);
            affine.bias.assign(5, 0.0f);
            Tensor out({1, 5, 20}, {0, 20, 1}), packed = affine.packed_weights(), biases = affine.packed_bias();
            play(*table, kAffine, affine.step(out, packed, biases));
            for (int m = 0; m < 5; ++m) {
                CHECK(std::isnan(out.at({0, m, 7})));
                CHECK(out.at({0, m, 8}) == static_cast<float>(activated(activation, -INFINITY)));
                CHECK(std::abs(out.at({0, m, 9}) - affine.expected(0, m, 9)) < 1e-6);
                CHECK(std::abs(out.at({0, m, 6}) - affine.expected(0, m, 6)) < 1e-6);
            }
        }
    }
}

TEST_CASE("products that don't fit together are refused") {
    for (const KernelTable* table : tables()) {
        Random random(6);
        Affine affine = {2, 6, 20};
        affine.segments.emplace_back(std::vector<int>{2, 3, 20}, std::vector<int>{60, 20, 1});
        affine.addends.emplace_back(std::vector<int>{2, 6, 20}, std::vector<int>{120, 20, 1});
        affine.weights = random.numbers(36);
        affine.bias = random.numbers(12);
        Tensor out({2, 6, 20}, {120, 20, 1}), packed = affine.packed_weights(), biases = affine.packed_bias();
        const HandStep good = affine.step(out, packed, biases);
        CHECK(refusal(*table, kAffine, good) == "");
        const auto refuses = [&](auto&& change) {
            HandStep bad = good;
            change(bad);
            CHECK(refusal(*table, kAffine, bad) != "");
        };
        refuses([](HandStep& step) { step.integers[0] = 0; });
        refuses([](HandStep& step) { step.integers[0] = -1; });
        refuses([](HandStep& step) { step.integers[0] = 3; });
        refuses([](HandStep& step) { step.integers[1] = INT32_MAX; });
        refuses([](HandStep& step) { step.integers[2] = kActivations; });
        refuses([](HandStep& step) { step.integers[2] = -1; });
        refuses([](HandStep& step) { step.integers.pop_back(); });
        refuses([](HandStep& step) { step.views.pop_back(); });
        refuses([](HandStep& step) { step.views.resize(2); });
        refuses([](HandStep& step) { step.views[0].writable = false; });
        refuses([](HandStep& step) { step.views[0].strides[2] = 2; });
        for (size_t view = 0; view < good.views.size(); ++view) {
            refuses([&](HandStep& step) { step.views[view].type = kFloat64; });
            refuses([&](HandStep& step) { ++step.views[view].rank; });
            for (uint32_t i = 0; i < good.views[view].rank; ++i) {
                refuses([&](HandStep& step) { ++step.views[view].dims[i]; });
                refuses([&](HandStep& step) { step.views[view].dims[i] = -1; });
                refuses([&](HandStep& step) { step.views[view].dims[i] = INT32_MAX; });
            }
        }
        refuses([](HandStep& step) { step.views[1].strides[0] = 2; });
        refuses([](HandStep& step) {  // copies of more than there can be
            for (Operand& view : step.views) {
                if (view.rank == 3) view.dims[2] = INT32_MAX;
            }
            step.views[3].strides[2] = 3;
        });
    }
}
