// The depthwise kernel against the sum written out in double.
#include "kernel_support.hpp"

using namespace kernel_test;

namespace {

struct Filter {
    int channels, samples, taps, stride, dilation, spare;
    int32_t activation;

    int reach() const { return (samples - 1) * stride + (taps - 1) * dilation + 1; }
};

Filter any_filter(Random& random) {
    Filter filter = {random.whole(1, 5), random.whole(1, 70), random.whole(1, 9), 1, random.whole(1, 12), 0, 0};
    if (random.whole(0, 2) == 0) filter.stride = random.whole(2, 5);
    filter.spare = random.whole(0, 3);
    filter.activation = random.whole(0, kActivations - 1);
    return filter;
}

struct Played {
    Tensor out, weights, bias, x;

    HandStep step(const Filter& filter, uint32_t flags) {
        return {{out.operand(flags), weights.operand(0, false), bias.operand(0, false), x.operand()},
                {filter.stride, filter.dilation, filter.activation}};
    }
};

Played operands(const Filter& filter, int out_stride, Random& random) {
    const int pitch = (filter.samples + 15) / 16 * 16 * out_stride, length = filter.reach() + filter.spare;
    Played played = {Tensor({filter.channels, filter.samples}, {pitch, out_stride}),
                     Tensor({filter.channels, filter.taps}, {filter.taps, 1}),
                     Tensor::array(random.numbers(static_cast<size_t>(filter.channels))),
                     Tensor({filter.channels, length}, {length + random.whole(0, 3), 1})};
    played.weights.fill(random);
    played.x.fill(random);
    return played;
}

double expected(const Filter& filter, Played& played, int c, int t) {
    double sum = played.bias.at({c});
    for (int k = 0; k < filter.taps; ++k) {
        const float sample = played.x.at({c, t * filter.stride + k * filter.dilation});
        sum += static_cast<double>(played.weights.at({c, k})) * sample;
    }
    return activated(filter.activation, sum);
}

}  // namespace

TEST_CASE("filters of each channel are those of the sum in double") {
    for (const KernelTable* table : tables()) {
        Random random(1);
        for (int i = 0; i < 300; ++i) {
            const Filter filter = any_filter(random);
            const int out_stride = random.whole(0, 3) == 0 ? 2 : 1;
            const uint32_t flags = out_stride == 1 ? random.whole(0, 1) * kPadded : 0;
            Played played = operands(filter, out_stride, random);
            play(*table, kDepthwise, played.step(filter, flags));
            double worst = 0.0;
            int others = 0;
            for (int c = 0; c < filter.channels; ++c) {
                for (int t = 0; t < filter.samples; ++t) {
                    worst = std::max(worst, std::abs(played.out.at({c, t}) - expected(filter, played, c, t)));
                }
                for (int t = filter.samples; t < (filter.samples + 15) / 16 * 16; ++t) {
                    others += flags == 0 && played.out.at({c, t}) != kUntouched;
                }
            }
            CAPTURE(table->name);
            CAPTURE(filter.samples);
            CAPTURE(filter.stride);
            CHECK(worst < 3e-6);
            CHECK(others == 0);
        }
    }
}

TEST_CASE("filters that reach beyond their input, or don't fit, are refused") {
    for (const KernelTable* table : tables()) {
        Random random(2);
        const Filter filter = {3, 20, 4, 2, 3, 0, kNone};
        Played played = operands(filter, 1, random);
        const HandStep good = played.step(filter, 0);
        CHECK(refusal(*table, kDepthwise, good) == "");
        const auto refuses = [&](auto&& change) {
            HandStep bad = good;
            change(bad);
            CHECK(refusal(*table, kDepthwise, bad) != "");
        };
        refuses([](HandStep& step) { --step.views[3].dims[1]; });
        refuses([](HandStep& step) { ++step.views[0].dims[1]; });
        refuses([](HandStep& step) { ++step.integers[0]; });
        refuses([](HandStep& step) { ++step.integers[1]; });
        refuses([](HandStep& step) { step.integers[0] = 0; });
        refuses([](HandStep& step) { step.integers[1] = -1; });
        refuses([](HandStep& step) { step.integers[0] = step.integers[1] = INT32_MAX; });
        refuses([](HandStep& step) { step.integers[2] = -1; });
        refuses([](HandStep& step) { step.integers[2] = kActivations; });
        refuses([](HandStep& step) { step.integers.push_back(0); });
        refuses([](HandStep& step) { step.views.pop_back(); });
        refuses([](HandStep& step) { step.views[0].writable = false; });
        refuses([](HandStep& step) { step.views[1].strides[0] = 5; });
        refuses([](HandStep& step) { step.views[1].dims[1] = 0; });
        refuses([](HandStep& step) { step.views[3].strides[1] = 2; });
        for (size_t view = 0; view < good.views.size(); ++view) {
            refuses([&](HandStep& step) { step.views[view].type = kFloat64; });
            refuses([&](HandStep& step) { ++step.views[view].rank; });
            refuses([&](HandStep& step) { ++step.views[view].dims[0]; });
            refuses([&](HandStep& step) { step.views[view].dims[0] = -1; });
        }
    }
}
