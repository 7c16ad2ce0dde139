// Reductions, products of matrices and Fourier transforms, against their definitions in float64.
#include <cmath>
#include <complex>
#include <numbers>

#include "kernel_step.hpp"

using namespace kernel_step_test;

namespace {

double reduced(int32_t reduction, const std::vector<double>& values) {
    double result = reduction == kProduct ? 1.0 : 0.0;
    if (reduction == kLargest || reduction == kSmallest) {
        result = values[0];
        for (double v : values) {
            if (std::isnan(result) || std::isnan(v))
                result = std::nan("");
            else
                result = reduction == kLargest ? std::max(result, v) : std::min(result, v);
        }
        return result;
    }
    for (double v : values) result = reduction == kProduct ? result * v : result + v;
    return reduction == kMean ? result / static_cast<double>(values.size()) : result;
}

}  // namespace

TEST_CASE("a reduction is that of all elements, in float64, along any dimension") {
    std::mt19937 random(21);
    for (int trial = 0; trial < 200; ++trial) {
        const int rank = between(random, 0, 4);
        Dims outer(static_cast<size_t>(rank));
        for (int& d : outer) d = between(random, 1, rank < 2 ? 80 : rank == 2 ? 20 : 5);
        const int32_t reduction = trial % kReductions;
        const int count = between(random, reduction == kSum ? 0 : 1, 90);
        Dims all = outer;
        all.push_back(count);
        KernelStep step(kReduce);
        step.add(outer, any_type(random), random);
        step.add(all, any_type(random), random).fill_random(random, reduction == kProduct ? 0.8 : -1.0, 1.2);
        if (count > 0 && trial % 7 == 0) step[1].set(Dims(all.size(), 0), std::nan(""));
        step.integers() = {reduction};
        for (const KernelTable* table : tables()) {
            CAPTURE(table->name);
            step.run(*table);
            double worst = 0.0;
            each_index(outer, [&](const Dims& index) {
                std::vector<double> values;
                Dims at = index;
                at.push_back(0);
                for (at.back() = 0; at.back() < count; ++at.back()) values.push_back(step[1](at));
                const double wanted = reduced(reduction, values), got = step[0](index);
                if (std::isnan(wanted) != std::isnan(got)) worst = 1.0;
                if (!std::isnan(wanted))
                    worst = std::max(worst, std::abs(got - wanted) / std::max(1.0, std::abs(wanted)));
            });
            CHECK(worst < (step[0].view().type == kFloat32 ? 1e-7 : 1e-13));
        }
    }
}

TEST_CASE("a product of matrices is that of its definition, whatever the layout") {
    std::mt19937 random(22);
    for (int trial = 0; trial < 250; ++trial) {
        const int batch = between(random, 1, 3), rows = between(random, 1, 20),
                  columns = between(random, 1, trial % 10 == 0 ? 150 : 40);
        const int depth = between(random, trial % 50 == 0 ? 0 : 1, 40);
        const bool is_wide = trial % 2 == 0;
        KernelStep step(kMatmul);
        step.add({batch, is_wide ? rows : columns, is_wide ? columns : rows}, kFloat32, random);
        const Dims out = step[0].dims();
        step.add({batch, out[1], depth}, kFloat32, random);
        step.add({batch, depth, out[2]}, kFloat32, random);
        if (trial % 9 == 0) step[2].repeat(0);
        step[1].fill_random(random);
        step[2].fill_random(random);
        for (const KernelTable* table : tables()) {
            CAPTURE(table->name);
            step.run(*table);
            double worst = 0.0;
            each_index(out, [&](const Dims& index) {
                double sum = 0.0;
                for (int k = 0; k < depth; ++k)
                    sum += step[1]({index[0], index[1], k}) * step[2]({index[0], k, index[2]});
                worst = std::max(worst, std::abs(sum - step[0](index)));
            });
            CHECK(worst < 3e-6);
        }
    }
}

namespace {

constexpr int kReal = 0, kBack = 1, kForward = 2, kBackward = 3;

std::complex<double> root(int length, int64_t turns) {
    return std::polar(1.0, -2.0 * std::numbers::pi * static_cast<double>(turns % length) / length);
}

// The whole complex spectrum or signal that an input stands for.
std::vector<std::complex<double>> whole_input(const Tensor& in, int batch, int kind, int length) {
    std::vector<std::complex<double>> all(static_cast<size_t>(length));
    for (int i = 0; i < length; ++i) {
        if (kind == kReal)
            all[i] = i < in.dims()[1] ? in({batch, i}) : 0.0;
        else if (kind != kBack)
            all[i] = {in({batch, i, 0}), in({batch, i, 1})};
        else if (i <= length / 2)
            all[i] = {in({batch, i, 0}), i == 0 || 2 * i == length ? 0.0 : in({batch, i, 1})};
        else
            all[i] = {in({batch, length - i, 0}), -in({batch, length - i, 1})};
    }
    return all;
}

// Relative to the largest number that comes out.
double error_of(const KernelStep& made, int batch, int kind, int length) {
    KernelStep& step = const_cast<KernelStep&>(made);
    const auto in = whole_input(step[1], batch, kind, length);
    const bool is_back = kind == kBack || kind == kBackward;
    const double factor = step[2]({0});
    double worst = 0.0, largest = 1e-30;
    for (int k = 0; k < step[0].dims()[1]; ++k) {
        std::complex<double> sum = 0.0;
        for (int i = 0; i < length; ++i) {
            const auto w = root(length, int64_t{i} * k);
            sum += in[i] * (is_back ? std::conj(w) : w);
        }
        sum *= factor;
        const std::complex<double> got = kind == kBack
                                             ? std::complex<double>{step[0]({batch, k}), sum.imag()}
                                             : std::complex<double>{step[0]({batch, k, 0}), step[0]({batch, k, 1})};
        largest = std::max(largest, std::abs(sum));
        worst = std::max(worst, std::abs(got - sum));
    }
    return worst / largest;
}

KernelStep transform(int kind, int length, int batch, std::mt19937& random) {
    KernelStep step(kFourier);
    const int half = length / 2 + 1, given = random() % 4 == 0 ? between(random, 1, length) : length;
    step.add(kind == kBack ? Dims{batch, length} : Dims{batch, kind == kReal ? half : length, 2}, kFloat32, random);
    step.add(kind == kReal ? Dims{batch, given} : Dims{batch, kind == kBack ? half : length, 2}, kFloat32, random)
        .fill_random(random);
    step.add({1}, kFloat32, random).fill_random(random, 0.1, 1.0).read_only();
    step.add({length, 2}, kFloat64, random).read_only().fill([&](const Dims& i) {
        return i[1] == 0 ? root(length, i[0]).real() : root(length, i[0]).imag();
    });
    step.integers() = {kind, length};
    return step;
}

}  // namespace

TEST_CASE("a transform of any length is that of its definition") {
    std::mt19937 random(23);
    std::vector<int> lengths = {256, 400, 441, 480, 512, 640, 1024};
    for (int n = 1; n <= 70; ++n) lengths.push_back(n);
    for (int n : {77, 96, 100, 127, 128, 143, 160, 192, 240}) lengths.push_back(n);
    for (const int length : lengths)
        for (int kind = 0; kind < 4; ++kind) {
            const int batch = length < 50 ? 2 : 1;
            KernelStep step = transform(kind, length, batch, random);
            for (const KernelTable* table : tables()) {
                CAPTURE(table->name);
                CAPTURE(length);
                CAPTURE(kind);
                step.run(*table);
                for (int b = 0; b < batch; ++b) CHECK(error_of(step, b, kind, length) < 6e-7);
            }
        }
}

TEST_CASE("a transform that doesn't fit its operands is refused") {
    std::mt19937 random(24);
    const KernelTable& table = best_kernels();
    for (const auto& change : std::vector<std::function<void(KernelStep&)>>{
             [](KernelStep& s) { s.integers()[0] = 4; }, [](KernelStep& s) { s.integers()[0] = -1; },
             [](KernelStep& s) { s.integers()[1] = 0; }, [](KernelStep& s) { s.integers()[1] = 25; },
             [](KernelStep& s) { s.integers()[1] = 23; }, [](KernelStep& s) { s.integers().push_back(0); },
             [](KernelStep& s) { s[0].view().dims[1] = 24; }, [](KernelStep& s) { s[1].view().dims[1] = 25; },
             [](KernelStep& s) { s[0].view().dims[2] = 1; }, [](KernelStep& s) { s[1].view().dims[0] = 1; },
             [](KernelStep& s) { s[3].view().dims[0] = 23; }, [](KernelStep& s) { s[3].view().type = kFloat32; },
             [](KernelStep& s) { s[2].view().dims[0] = 0; }, [](KernelStep& s) { s[1].view().type = kFloat64; },
             [](KernelStep& s) { s[0].view().writable = false; }}) {
        KernelStep step = transform(kReal, 24, 2, random);
        REQUIRE(step.refused(table).empty());
        change(step);
        CHECK(!step.refused(table).empty());
    }
}

TEST_CASE("frames of several channels are transformed where they lie, over each other") {
    std::mt19937 random(25);
    const int channels = 2, frames = 5, length = 24, hop = 6;
    KernelStep step = transform(kReal, length, 1, random);
    KernelStep many(kFourier);
    many.add({channels, frames, length / 2 + 1, 2}, kFloat32, random);
    many.add({channels, frames, length}, kFloat32, random, true);
    many.add({1}, kFloat32, random).fill([](const Dims&) { return 0.5; });
    many.add({length, 2}, kFloat64, random).fill([&](const Dims& i) { return step[3](i); });
    many.integers() = {kReal, length};
    many[1].view().strides[1] = hop;
    many[1].view().strides[0] = (frames - 1) * hop + length + 3;
    many[1].fill_random(random);
    for (const KernelTable* table : tables()) {
        CAPTURE(table->name);
        many.run(*table);
        double worst = 0.0;
        each_index({channels, frames, length / 2 + 1}, [&](const Dims& index) {
            std::complex<double> sum = 0.0;
            for (int i = 0; i < length; ++i)
                sum += many[1]({index[0], index[1], i}) * root(length, int64_t{i} * index[2]);
            const std::complex<double> got = {many[0]({index[0], index[1], index[2], 0}),
                                              many[0]({index[0], index[1], index[2], 1})};
            worst = std::max(worst, std::abs(got - 0.5 * sum));
        });
        CHECK(worst < 2e-6);
    }
}
