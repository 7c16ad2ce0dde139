// The recurrent kernels against PyTorch's formulas in double.
#include "kernel_support.hpp"

using namespace kernel_test;

namespace {

struct Layer {
    KernelId kernel;
    int units, inputs;
    int32_t activation = kTanh;
    std::vector<float> input = {}, hidden = {}, input_bias = {},
                       hidden_bias = {};  // as PyTorch has them: [gates][units][..]
    std::vector<double> h = {}, c = {};
    int32_t forms[2] = {0, 0};  // of hidden and input weights: 0 float32, 1 half precision, 2 int8
    int groups[2] = {1, 1};     // how many rows share a scale

    int gates() const { return kernel == kLstm ? 4 : kernel == kGru ? 3 : 1; }
    int padded() const { return (units + 15) / 16 * 16; }

    // What a gate's weights are multiplied by.
    double factor(int gate) const {
        if (kernel == kRnn) return 1.0;
        return (gate == 2 ? -2.0 : -1.0) * 1.4426950408889634;
    }

    // Weights of PyTorch's layout [gates][units][rows] in 8 or 16 bits, of which `whole` has the whole multiples.
    void pack_short(std::vector<float>& all, const std::vector<float>& weights, int rows, int which) const {
        const int columns = gates() * padded(), group = groups[which];
        std::vector<uint8_t> panels;
        const auto weight = [&](int row, int column) {
            const int gate = column / padded(), unit = column % padded();
            return unit < units ? weights[(gate * units + unit) * rows + row] : 0.0f;
        };
        const auto scale = [&](int row, int column) {
            return forms[which] == 1 ? 1.0f : scale_of(row / group, column);
        };
        const int even = (rows + 1) / 2 * 2;
        for (int panel = 0; panel < columns; panel += 16) {
            for (int row = 0; row < even && forms[which] == 1; ++row) {
                for (int column = panel; column < panel + 16; ++column) {
                    const uint16_t half = row < rows ? half_of(weight(row, column)) : 0;
                    panels.push_back(static_cast<uint8_t>(half & 255));
                    panels.push_back(static_cast<uint8_t>(half >> 8));
                }
            }
            for (int pair = 0; pair < even && forms[which] == 2; pair += 2) {
                for (int place = 0; place < 32; ++place) {
                    const int row = pair + place % 2, column = panel + place / 2;
                    const float value = row < rows ? weight(row, column) / scale(row, column) : 0.0f;
                    panels.push_back(static_cast<uint8_t>(static_cast<int8_t>(std::lround(value))));
                }
            }
        }
        const size_t first = all.size();
        all.resize(first + panels.size() / 4);
        std::memcpy(all.data() + first, panels.data(), panels.size());
        for (int row = 0; row < rows; row += group) {
            for (int column = 0; column < columns; ++column) {
                all.push_back(static_cast<float>(factor(column / padded()) * scale(row, column)));
            }
        }
    }

    static float scale_of(int group, int column) {
        return 0.001f * static_cast<float>(1 + (7 * group + 3 * column) % 5);
    }

    // Of a number that is 0 or a normal one.
    static uint16_t half_of(float value) {
        const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
        const float size = std::abs(value);
        int exponent = 0;
        if (size == 0.0f) return sign;
        const float fraction = std::frexp(size, &exponent);
        return static_cast<uint16_t>(sign | ((exponent + 14) << 10) | (std::lround(fraction * 2048.0f) & 1023));
    }

    // The weights as the nearest that can be stored in their form.
    void shorten(Random& random) {
        for (int which = 0; which < 2; ++which) {
            std::vector<float>& weights = which == 0 ? hidden : input;
            const int rows = which == 0 ? units : inputs;
            for (size_t i = 0; i < weights.size() && forms[which] != 0; ++i) {
                const int row = static_cast<int>(i) % rows, output = static_cast<int>(i) / rows;
                const int column = output / units * padded() + output % units;
                const float scale = forms[which] == 2 ? scale_of(row / groups[which], column) : 1.0f;
                if (forms[which] == 2) {
                    weights[i] = scale * static_cast<float>(random.whole(-127, 127)) / 8.0f;
                    weights[i] = scale * std::round(weights[i] / scale);
                } else {
                    const int kind = random.whole(0, 9);  // some of the smallest, which are normal
                    const int small = random.whole(1024, 4000) / 4 * 4 * (kind == 0 ? 1 : -1);
                    weights[i] = kind < 2 ? 5.9604644775390625e-8f * static_cast<float>(small)
                                          : std::round(weights[i] * 1024.0f) / 1024.0f;
                }
            }
        }
    }

    Tensor packed() const {
        std::vector<float> all;
        const auto row = [&](int gates_here, auto&& value) {
            for (int g = 0; g < gates_here; ++g) {
                for (int u = 0; u < padded(); ++u) all.push_back(u < units ? static_cast<float>(value(g, u)) : 0.0f);
            }
        };
        if (forms[0] != 0) pack_short(all, hidden, units, 0);
        for (int j = 0; j <= units && forms[0] == 0; ++j) {
            row(gates(),
                [&](int g, int u) { return j < units ? factor(g) * hidden[(g * units + u) * units + j] : 0.0; });
        }
        if (forms[1] != 0) pack_short(all, input, inputs, 1);
        for (int i = 0; i < inputs && forms[1] == 0; ++i) {
            row(gates(), [&](int g, int u) { return factor(g) * input[(g * units + u) * inputs + i]; });
        }
        row(kernel == kGru ? 4 : gates(), [&](int g, int u) {
            const int gate = g == 3 && kernel == kGru ? 2 : g;
            const double from_input = input_bias[gate * units + u], from_hidden = hidden_bias[gate * units + u];
            if (kernel == kGru && g >= 2) return factor(2) * (g == 2 ? from_input : from_hidden);
            return factor(gate) * (from_input + from_hidden);
        });
        return Tensor::array(all);
    }

    // One step in double: h and c move on.
    void move(const std::vector<double>& x) {
        const auto sum = [&](int gate, int u, bool of_hidden) {
            const int row = gate * units + u;
            double total = of_hidden ? hidden_bias[row] : input_bias[row];
            if (of_hidden) {
                for (int j = 0; j < units; ++j) total += hidden[row * units + j] * h[j];
            } else {
                for (int i = 0; i < inputs; ++i) total += input[row * inputs + i] * x[i];
            }
            return total;
        };
        const auto both = [&](int gate, int u) { return sum(gate, u, false) + sum(gate, u, true); };
        const auto sigmoid = [](double value) { return activated(kSigmoid, value); };
        std::vector<double> next(h);
        for (int u = 0; u < units; ++u) {
            if (kernel == kLstm) {
                c[u] = sigmoid(both(1, u)) * c[u] + sigmoid(both(0, u)) * std::tanh(both(2, u));
                next[u] = sigmoid(both(3, u)) * std::tanh(c[u]);
            } else if (kernel == kGru) {
                const double n = std::tanh(sum(2, u, false) + sigmoid(both(0, u)) * sum(2, u, true)),
                             z = sigmoid(both(1, u));
                next[u] = (1.0 - z) * n + z * h[u];
            } else {
                next[u] = activated(activation, both(0, u));
            }
        }
        h = next;
    }
};

Layer any_layer(KernelId kernel, int units, int inputs, Random& random) {
    Layer layer = {kernel, units, inputs};
    if (random.whole(0, 1) == 1) layer.activation = kRelu;
    const auto rows = static_cast<size_t>(layer.gates() * units);
    // So that relu's numbers don't grow from step to step.
    const float most = kernel == kRnn ? 0.8f / static_cast<float>(units) : 2.0f / std::sqrt(static_cast<float>(units));
    layer.input = random.numbers(rows * inputs);
    layer.hidden = random.numbers(rows * units, most);
    layer.input_bias = random.numbers(rows, 0.5f);
    layer.hidden_bias = random.numbers(rows, 0.5f);
    for (const float value : random.numbers(units)) layer.h.push_back(value);
    for (const float value : random.numbers(units)) layer.c.push_back(value);
    return layer;
}

Tensor state_of(const std::vector<double>& values) {
    return Tensor::array(std::vector<float>(values.begin(), values.end()));
}

HandStep step_of(const Layer& layer, Operand out, Tensor& x, Tensor& h, Tensor& c, Tensor& weights) {
    HandStep step = {{out, x.operand(), h.operand()}, {}};
    if (layer.kernel == kLstm) step.views.push_back(c.operand());
    step.views.push_back(weights.operand(0, false));
    if (layer.kernel == kRnn) step.integers.push_back(layer.activation);
    for (int which = 0; which < 2 && layer.forms[0] != 0; ++which) {
        step.integers.push_back(layer.forms[which]);
        step.integers.push_back(layer.groups[which]);
    }
    return step;
}

double distance(Tensor& state, const std::vector<double>& exact) {
    double worst = 0.0;
    for (size_t u = 0; u < exact.size(); ++u)
        worst = std::max(worst, std::abs(state.at({static_cast<int>(u)}) - exact[u]));
    return worst;
}

// Some steps, whose outputs and states are compared; the result's rows lie one after the other or across each other.
void compare(const KernelTable& table, Layer layer, int samples, Random& random, float everywhere = 0.0f) {
    const int order = random.whole(0, 2), padded = layer.padded();
    Tensor x({samples, layer.inputs},
             order == 0 ? std::vector<int>{1, samples} : std::vector<int>{layer.inputs + 1, 1});
    Tensor out({samples, layer.units}, order == 0   ? std::vector<int>{1, samples + 3}
                                       : order == 1 ? std::vector<int>{padded, 1}
                                                    : std::vector<int>{layer.units, 1});
    x.fill(random);
    for (int t = 0; t < samples && everywhere != 0.0f; ++t) {
        for (int i = 0; i < layer.inputs; ++i) x.at({t, i}) = everywhere;
    }
    Tensor h = state_of(layer.h), c = state_of(layer.c), weights = layer.packed();
    play(table, layer.kernel,
         step_of(layer, out.operand(order == 1 ? random.whole(0, 1) * kPadded : 0), x, h, c, weights));
    double worst = 0.0, largest = 1.0;
    for (int t = 0; t < samples; ++t) {
        std::vector<double> input;
        for (int i = 0; i < layer.inputs; ++i) input.push_back(x.at({t, i}));
        layer.move(input);
        for (int u = 0; u < layer.units; ++u) {
            worst = std::max(worst, std::abs(out.at({t, u}) - layer.h[u]));
            largest = std::max(largest, std::abs(layer.h[u]));
        }
    }
    worst = std::max(worst, distance(h, layer.h));
    if (layer.kernel == kLstm) worst = std::max(worst, distance(c, layer.c));
    const auto touched = std::count(out.memory().begin(), out.memory().end(), kUntouched);
    CAPTURE(table.name);
    CAPTURE(layer.kernel);
    CAPTURE(layer.units);
    CAPTURE(samples);
    CHECK(worst < 3e-6 * largest);
    CHECK(touched >= 2 * kSlack - 15);
}

}  // namespace

TEST_CASE("recurrent layers of any size are PyTorch's formulas") {
    for (const KernelTable* table : tables()) {
        Random random(1);
        for (const KernelId kernel : {kLstm, kGru, kRnn}) {
            for (int units = 1; units <= 70; units += units < 34 ? 1 : 7) {
                compare(*table, any_layer(kernel, units, random.whole(1, 5), random), random.whole(1, 40), random);
            }
            compare(*table, any_layer(kernel, 100, 20, random), 5, random);
            compare(*table, any_layer(kernel, 131, 131, random), 3, random);
        }
    }
}

TEST_CASE("weights in 8 or 16 bits are the numbers that they stand for") {
    for (const KernelTable* table : tables()) {
        Random random(5);
        for (const KernelId kernel : {kLstm, kGru, kRnn}) {
            for (const int32_t form : {1, 2}) {
                for (const int units : {1, 15, 33, 70, 131}) {
                    Layer layer = any_layer(kernel, units, random.whole(1, 40), random);
                    layer.forms[0] = form;
                    layer.forms[1] = random.whole(0, 2);
                    layer.groups[0] = 2 * random.whole(1, units / 2 + 2);
                    layer.groups[1] = 2 * random.whole(1, 3);
                    layer.shorten(random);
                    compare(*table, layer, random.whole(1, 20), random);
                }
            }
        }
    }
}

TEST_CASE("sums of many of the largest bytes are not too large") {
    for (const KernelTable* table : tables()) {
        for (const float largest : {127.0f, -128.0f}) {
            Random random(6);
            const int rows = largest > 0.0f ? 9001 : 70001;  // more than any kernel adds up at once
            Layer layer = any_layer(kRnn, 3, rows, random);
            layer.activation = kRelu;
            layer.forms[0] = layer.forms[1] = 2;
            layer.groups[0] = 4;
            layer.groups[1] = rows + 1;
            layer.shorten(random);
            for (size_t i = 0; i < layer.input.size(); ++i) {
                layer.input[i] = largest * Layer::scale_of(0, static_cast<int>(i) / layer.inputs);
            }
            compare(*table, layer, 3, random, std::copysign(0x1.fffffep0f, largest));  // whose digits are the largest
        }
    }
}

TEST_CASE("the largest value beside bytes may have any fraction") {
    for (const KernelTable* table : tables()) {
        for (const float size : {0x1.fffffep0f, 0x1.ffp0f, 0x1.fefp0f, 0x1.fep0f, 0x1.fdf9p0f, 0x1.fdf7fep0f, 0x1.fcp0f,
                                 0x1.8p0f, 0x1.01p0f, 0x1p0f, 0x1.fep-9f, 0x1.fep9f}) {
            for (const float value : {size, -size}) {
                Random random(7);
                Layer layer = any_layer(kRnn, 8, 41, random);
                layer.activation = kRelu;
                layer.forms[0] = layer.forms[1] = 2;
                layer.groups[0] = 8;
                layer.groups[1] = 42;
                layer.shorten(random);
                compare(*table, layer, 2, random, value);
            }
        }
    }
}

TEST_CASE("a signal in pieces gives what it gives at once, to the bit") {
    for (const KernelTable* table : tables()) {
        for (const int which : {0, 1, 2, 3, 4, 5}) {
            const KernelId kernel = which % 3 == 0 ? kLstm : which % 3 == 1 ? kGru : kRnn;
            Random random(2);
            Layer layer = any_layer(kernel, 20, 1, random);
            layer.forms[0] = which < 3 ? 0 : 2;
            layer.groups[0] = 20;
            layer.shorten(random);
            Tensor x({50, 1}, {1, 1}), weights = layer.packed();
            x.fill(random);
            std::vector<float> results[2];
            for (const int piece : {50, 7}) {
                Tensor h = state_of(layer.h), c = state_of(layer.c);
                for (int t = 0; t < 50; t += piece) {
                    const int samples = std::min(piece, 50 - t);
                    Tensor part({samples, 1}, {1, 1}), out({samples, 20}, {20, 1});
                    for (int i = 0; i < samples; ++i) part.at({i, 0}) = x.at({t + i, 0});
                    play(*table, kernel, step_of(layer, out.operand(), part, h, c, weights));
                    for (int i = 0; i < samples; ++i) {
                        for (int u = 0; u < 20; ++u) results[piece == 7].push_back(out.at({i, u}));
                    }
                }
            }
            CHECK(results[0] == results[1]);
        }
    }
}

TEST_CASE("NaN in the sound reaches every unit and stays; numbers of any size don't make one") {
    for (const KernelTable* table : tables()) {
        for (const KernelId kernel : {kLstm, kGru, kRnn}) {
            for (const int units : {9, 30, 80, 81, 82, 181, 182}) {
                Random random(3);
                const int steps = units < 100 ? 8 : 24;  // of many, weights may be made longer first
                Layer layer = any_layer(kernel, units, 1, random);
                layer.activation = kTanh;
                if (units > 80) {
                    layer.forms[0] = units % 100 - 80;
                    layer.groups[0] = 190;
                    layer.shorten(random);
                }
                Tensor x({steps, 1}, {1, 1}), out({steps, units}, {units, 1}), weights = layer.packed();
                Tensor h = state_of(layer.h), c = state_of(layer.c);
                const uint32_t odd_nan = 0x7fc00001;
                const float sounds[] = {0.0f, 3e38f, -3e38f, INFINITY, 1e-42f, -INFINITY};
                for (int t = 0; t < 6; ++t) x.at({t, 0}) = sounds[t];
                std::memcpy(&x.at({6, 0}), &odd_nan, sizeof odd_nan);
                for (int t = 7; t < steps; ++t) x.at({t, 0}) = 0.0f;
                play(*table, kernel, step_of(layer, out.operand(), x, h, c, weights));
                int finite = 0, nan = 0;
                for (int u = 0; u < units; ++u) {
                    for (int t = 0; t < 6; ++t) finite += std::isfinite(out.at({t, u}));
                    for (int t = 6; t < steps; ++t) nan += std::isnan(out.at({t, u}));
                    nan += std::isnan(h.at({u}));
                }
                CAPTURE(table->name);
                CAPTURE(kernel);
                CHECK(finite == 6 * units);
                CHECK(nan == (steps - 5) * units);
            }
        }
    }
}

TEST_CASE("recurrent layers that don't fit together are refused") {
    for (const KernelTable* table : tables()) {
        for (const KernelId kernel : {kLstm, kGru, kRnn}) {
            Random random(4);
            const Layer layer = any_layer(kernel, 20, 3, random);
            Tensor x({9, 3}, {3, 1}), out({9, 20}, {20, 1}), weights = layer.packed();
            Tensor h = state_of(layer.h), c = state_of(layer.c);
            const HandStep good = step_of(layer, out.operand(), x, h, c, weights);
            CHECK(refusal(*table, kernel, good) == "");
            const auto refuses = [&](auto&& change) {
                HandStep bad = good;
                change(bad);
                CHECK(refusal(*table, kernel, bad) != "");
            };
            refuses([](HandStep& step) { step.views.pop_back(); });
            refuses([](HandStep& step) { step.views.push_back(step.views[0]); });
            refuses([](HandStep& step) { step.integers.push_back(1); });
            refuses([](HandStep& step) { step.integers.insert(step.integers.end(), {2, 20, 0, 1}); });  // other sizes
            Layer in_short = layer;
            in_short.forms[0] = 2;
            in_short.groups[0] = 20;
            Tensor short_weights = in_short.packed();
            const HandStep good_short = step_of(in_short, out.operand(), x, h, c, short_weights);
            CHECK(refusal(*table, kernel, good_short) == "");
            for (const int32_t integer : {-1, 0, 3}) {  // the form of hidden weights
                HandStep bad = good_short;
                bad.integers[bad.integers.size() - 4] = integer;
                CHECK(refusal(*table, kernel, bad) != "");
            }
            for (const int32_t rows : {-2, 0, 19}) {  // that share a scale
                HandStep bad = good_short;
                bad.integers[bad.integers.size() - 3] = rows;
                CHECK(refusal(*table, kernel, bad) != "");
            }
            if (kernel == kRnn) refuses([](HandStep& step) { step.integers[0] = kSigmoid; });
            for (size_t view = 0; view < good.views.size(); ++view) {
                refuses([&](HandStep& step) { step.views[view].type = kFloat64; });
                refuses([&](HandStep& step) { ++step.views[view].rank; });
                if (view != 1 && view + 1 != good.views.size()) {
                    refuses([&](HandStep& step) { step.views[view].writable = false; });
                }
                if (good.views[view].rank == 1) refuses([&](HandStep& step) { step.views[view].strides[0] = 2; });
                for (uint32_t i = 0; i < good.views[view].rank; ++i) {
                    refuses([&](HandStep& step) { ++step.views[view].dims[i]; });
                    refuses([&](HandStep& step) { step.views[view].dims[i] = -1; });
                    refuses([&](HandStep& step) { step.views[view].dims[i] = INT32_MAX; });
                }
            }
        }
    }
}
