// Programs: every operation against the C library in a wider type, and the interpreter against the loop that it stands for.
#include <cmath>
#include <limits>

#include "kernel_step.hpp"

using namespace kernel_step_test;

namespace {

using Real = long double;

struct Case {
    Operation operation;
    const char* name;
    std::function<Real(Real, Real)> truth;
    double low, high;    // of the first operand, ordinary values
    double doubles_ulp;  // allowed in float64
};

Real python_remainder(Real a, Real b) {
    const Real rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Real sign(Real a) { return a > 0 ? 1 : a < 0 ? -1 : 0; }

const std::vector<Case>& cases() {
    static const std::vector<Case> all = {
        {kAdd, "add", [](Real a, Real b) { return a + b; }, -9, 9, 0.5},
        {kSubtract, "subtract", [](Real a, Real b) { return a - b; }, -9, 9, 0.5},
        {kMultiply, "multiply", [](Real a, Real b) { return a * b; }, -9, 9, 0.5},
        {kDivide, "divide", [](Real a, Real b) { return a / b; }, -9, 9, 0.5},
        {kMinimum, "minimum", [](Real a, Real b) { return a != a || b != b ? a + b : std::min(a, b); }, -9, 9, 0},
        {kMaximum, "maximum", [](Real a, Real b) { return a != a || b != b ? a + b : std::max(a, b); }, -9, 9, 0},
        {kPower, "power", [](Real a, Real b) { return std::pow(a, b); }, -2, 20, 2},
        {kArctangent2, "arctangent2", [](Real a, Real b) { return std::atan2(a, b); }, -9, 9, 3},
        {kRemainder, "remainder", python_remainder, -1e4, 1e4, 0.5},
        {kFmod, "fmod", [](Real a, Real b) { return std::fmod(a, b); }, -1e4, 1e4, 0},
        {kLess, "less", [](Real a, Real b) { return a < b; }, -9, 9, 0},
        {kLessEqual, "less or equal", [](Real a, Real b) { return a <= b; }, -9, 9, 0},
        {kEqual, "equal", [](Real a, Real b) { return a == b; }, -9, 9, 0},
        {kNotEqual, "not equal", [](Real a, Real b) { return a != b; }, -9, 9, 0},
        {kGreater, "greater", [](Real a, Real b) { return a > b; }, -9, 9, 0},
        {kGreaterEqual, "greater or equal", [](Real a, Real b) { return a >= b; }, -9, 9, 0},
        {kAnd, "and", [](Real a, Real b) { return a != 0 && b != 0; }, -9, 9, 0},
        {kOr, "or", [](Real a, Real b) { return a != 0 || b != 0; }, -9, 9, 0},
        {kNegate, "negate", [](Real a, Real) { return -a; }, -9, 9, 0},
        {kAbsolute, "absolute", [](Real a, Real) { return std::abs(a); }, -9, 9, 0},
        {kSquareRoot, "square root", [](Real a, Real) { return std::sqrt(a); }, 0, 1e6, 0.5},
        {kReciprocal, "reciprocal", [](Real a, Real) { return 1 / a; }, -9, 9, 0.5},
        {kExp, "exp", [](Real a, Real) { return std::exp(a); }, -80, 80, 2},
        {kExpm1, "expm1", [](Real a, Real) { return std::expm1(a); }, -30, 80, 3},
        {kLog, "log", [](Real a, Real) { return std::log(a); }, 0, 3, 2},
        {kLog1p, "log1p", [](Real a, Real) { return std::log1p(a); }, -1, 3, 3},
        {kSine, "sine", [](Real a, Real) { return std::sin(a); }, -1e6, 1e6, 3},
        {kCosine, "cosine", [](Real a, Real) { return std::cos(a); }, -1e6, 1e6, 3},
        {kTangent, "tangent", [](Real a, Real) { return std::tan(a); }, -1e6, 1e6, 4},
        {kHyperbolicTangent, "tanh", [](Real a, Real) { return std::tanh(a); }, -20, 20, 4},
        {kSigmoidOf, "sigmoid", [](Real a, Real) { return 1 / (1 + std::exp(-a)); }, -80, 80, 3},
        {kErrorFunction, "erf", [](Real a, Real) { return std::erf(a); }, -6, 6, 4},
        {kFloor, "floor", [](Real a, Real) { return std::floor(a); }, -99, 99, 0},
        {kCeiling, "ceiling", [](Real a, Real) { return std::ceil(a); }, -99, 99, 0},
        {kRound, "round", [](Real a, Real) { return std::nearbyint(a); }, -99, 99, 0},
        {kTruncate, "truncate", [](Real a, Real) { return std::trunc(a); }, -99, 99, 0},
        {kSign, "sign", [](Real a, Real) { return sign(a); }, -9, 9, 0},
        {kArctangent, "arctangent", [](Real a, Real) { return std::atan(a); }, -9, 9, 3},
        {kNot, "not", [](Real a, Real) { return a == 0; }, -9, 9, 0},
        {kIsNan, "is NaN", [](Real a, Real) { return a != a; }, -9, 9, 0},
        {kLog2, "log2", [](Real a, Real) { return std::log2(a); }, 0, 3, 3},
        {kLog10, "log10", [](Real a, Real) { return std::log10(a); }, 0, 3, 3},
        {kExp2, "exp2", [](Real a, Real) { return std::exp2(a); }, -100, 100, 2},
        {kArcsine, "arcsine", [](Real a, Real) { return std::asin(a); }, -1, 1, 4},
        {kArccosine, "arccosine", [](Real a, Real) { return std::acos(a); }, -1, 1, 4},
        {kSinh, "sinh", [](Real a, Real) { return std::sinh(a); }, -80, 80, 4},
        {kCosh, "cosh", [](Real a, Real) { return std::cosh(a); }, -80, 80, 4},
    };
    return all;
}

// Ordinary values, very small ones, powers of two and what is special.
std::vector<double> values_of(std::mt19937& random, double low, double high, int count, bool in_doubles) {
    const double inf = std::numeric_limits<double>::infinity();
    std::vector<double> values = {
        0.0,          -0.0,  1.0,    -1.0, 0.5,   -0.5, 1.5,  2.5, 2.0,  -2.0, 3.0,   -3.0, inf,    -inf,
        std::nan(""), 1e-30, -1e-30, 1e30, -1e30, 1e8,  -1e8, 6e9, 1e15, 88.7, -87.0, 90.0, -104.0, 4503599627370497.5};
    if (in_doubles)
        for (double more : {1e-310, 1e300, -1e300, 709.7, 709.8, -745.0, -746.0, 1e-300}) values.push_back(more);
    std::uniform_real_distribution<double> ordinary(low, high), exponent(-12.0, 0.0);
    while (static_cast<int>(values.size()) < count) {
        const double value = ordinary(random);
        values.push_back(random() % 3 == 0 ? value * std::pow(10.0, exponent(random)) : value);
    }
    if (!in_doubles)
        for (double& value : values) value = static_cast<double>(static_cast<float>(value));
    return values;
}

// How far `got` is from the truth, in units of the last place of the truth as it is rounded.
template <class T>
double distance(T got, Real truth) {
    const T nearest = static_cast<T>(truth);
    if (std::isnan(nearest) || std::isnan(got)) return std::isnan(nearest) && std::isnan(got) ? 0.0 : 1e9;
    if (std::isinf(nearest) || std::isinf(got)) {
        const T largest = std::numeric_limits<T>::max();
        const bool at_limit = std::abs(got) >= largest * T(0.999999) && std::abs(nearest) >= largest * T(0.999999);
        return nearest == got || (at_limit && (got > 0) == (nearest > 0)) ? 0.0 : 1e9;
    }
    const T size = std::max(std::abs(nearest), std::numeric_limits<T>::min());
    const T unit = std::nextafter(size, std::numeric_limits<T>::infinity()) - size;
    return static_cast<double>(std::abs(static_cast<Real>(got) - truth) / static_cast<Real>(unit));
}

double distance_in(uint32_t type, double got, Real truth) {
    return type == kFloat32 ? distance(static_cast<float>(got), truth) : distance(got, truth);
}

}  // namespace

TEST_CASE("every operation is right to a few units in the last place, also at the edges") {
    std::mt19937 random(11);
    for (const uint32_t type : {kFloat32, kFloat64})
        for (const Case& one : cases()) {
            const int count = 3000;
            const bool in_doubles = type == kFloat64;
            const std::vector<double> a = values_of(random, one.low, one.high, count, in_doubles);
            std::vector<double> b = values_of(random, -5, 5, count, in_doubles);
            std::shuffle(b.begin(), b.end(), random);
            KernelStep step(kPointwise);
            step.add({0}, kFloat64, random);
            step.add({count}, type, random);
            step.add({count}, type, random).fill([&](const Dims& i) { return a[i[0]]; });
            step.add({count}, type, random).fill([&](const Dims& i) { return b[i[0]]; });
            step.integers() = {in_doubles,    2, kLoad, 0, 1, 0,      0, kLoad, 1, 2, 0, 0,
                               one.operation, 0, 0,     1, 0, kStore, 0, 0,     0, 0};
            for (const KernelTable* table : tables()) {
                // Views count from 0 after the constants: out is 0.
                step.run(*table);
                double worst = 0.0;
                int place = 0;
                for (int i = 0; i < count; ++i) {
                    const double off = distance_in(type, step[1]({i}), one.truth(a[i], b[i]));
                    if (off > worst) worst = off, place = i;
                }
                const std::string text = std::string(table->name) + " " + one.name +
                                         (in_doubles ? " float64 of " : " float32 of ") + std::to_string(a[place]) +
                                         ", " + std::to_string(b[place]);
                CAPTURE(text);
                // 2.33 is the most of all floats in tanh.
                const double in_floats = one.operation == kHyperbolicTangent ? 2.4 : 2.0;
                CHECK(worst <= (in_doubles ? one.doubles_ulp + 0.01 : in_floats));
            }
        }
}

TEST_CASE("sines of very large angles are those of the very same numbers") {
    std::mt19937 random(12);
    KernelStep step(kPointwise);
    const int count = 2000;
    step.add({0}, kFloat64, random);
    step.add({count}, kFloat64, random);
    std::uniform_real_distribution<double> exponent(20.0, 1000.0);
    step.add({count}, kFloat64, random).fill([&](const Dims&) {
        return std::exp2(exponent(random)) * (random() % 2 == 0 ? 1.0 : -1.0);
    });
    for (const int32_t operation : {kSine, kCosine}) {
        step.integers() = {1, 1, kLoad, 0, 1, 0, 0, operation, 0, 0, 0, 0, kStore, 0, 0, 0, 0};
        for (const KernelTable* table : tables()) {
            CAPTURE(table->name);
            step.run(*table);
            double worst = 0.0;
            for (int i = 0; i < count; ++i) {
                // The C library's double is right to an unit; its wider type is at a loss here.
                const double x = step[2]({i}), truth = operation == kSine ? std::sin(x) : std::cos(x);
                worst = std::max(worst, std::abs(step[1]({i}) - truth) / std::abs(truth));
            }
            CHECK(worst < 1e-15);
        }
    }
}

namespace {

// What a program does, one element at a time, in the type that it says.
template <class T>
T evaluate(const std::vector<int32_t>& code, const std::vector<double>& constants, const std::vector<T>& loaded,
           std::vector<T>& stored) {
    std::vector<T> r(static_cast<size_t>(code[1]));
    for (size_t i = 2; i < code.size(); i += 5) {
        const int32_t a = code[i + 2], b = code[i + 3], c = code[i + 4];
        T& to = r[static_cast<size_t>(code[i + 1])];
        switch (code[i]) {
            case kLoad: to = loaded[a]; break;
            case kStore: stored[b] = r[a]; break;
            case kNumber: to = static_cast<T>(constants[a]); break;
            case kAdd: to = r[a] + r[b]; break;
            case kMultiply: to = r[a] * r[b]; break;
            case kLess: to = r[a] < r[b] ? T(1) : T(0); break;
            case kSelect: to = r[a] != T(0) ? r[b] : r[c]; break;
            case kFloor: to = std::floor(r[a]); break;
            case kAbsolute: to = std::abs(r[a]); break;
            default: REQUIRE(false);
        }
    }
    return T(0);
}

std::vector<int32_t> random_program(std::mt19937& random, int32_t registers, int views, int stores, bool in_doubles) {
    std::vector<int32_t> code = {in_doubles, registers};
    const auto any = [&] { return between(random, 0, registers - 1); };
    for (int32_t r = 0; r < registers; ++r)
        for (int32_t word : {int32_t{kLoad}, r, between(random, stores, views - 1), 0, 0}) code.push_back(word);
    for (int i = between(random, 0, 12); i > 0; --i) {
        const int32_t choices[] = {kNumber, kAdd, kMultiply, kLess, kSelect, kFloor, kAbsolute, kLoad};
        const int32_t operation = choices[random() % 8];
        const int32_t a = operation == kNumber ? between(random, 0, 2)
                          : operation == kLoad ? between(random, stores, views - 1)
                                               : any();
        for (int32_t word : {operation, any(), a, any(), any()}) code.push_back(word);
    }
    for (int32_t s = 0; s < stores; ++s)
        for (int32_t word : {int32_t{kStore}, 0, any(), s, 0}) code.push_back(word);
    return code;
}

}  // namespace

TEST_CASE("a program is one loop over elements, whatever the layout") {
    std::mt19937 random(13);
    for (int trial = 0; trial < 200; ++trial) {
        const int rank = between(random, 0, 4), stores = between(random, 1, 2), views = stores + between(random, 1, 4);
        Dims dims(static_cast<size_t>(rank));
        for (int& d : dims) d = between(random, 1, rank == 1 ? 700 : rank == 2 ? 40 : 9);
        if (rank > 0 && trial % 25 == 0) dims.back() = 0;
        const bool in_doubles = trial % 2 == 0;
        KernelStep step(kPointwise);
        step.add({3}, kFloat64, random).fill_random(random, -2.0, 2.0).read_only();
        for (int v = 0; v < views; ++v) {
            Tensor& view = step.add(dims, any_type(random), random);
            if (v >= stores && rank > 0 && random() % 3 == 0) view.repeat(between(random, 0, rank - 1));
            if (v >= stores) view.fill_random(random, -2.0, 2.0);
        }
        step.integers() = random_program(random, between(random, 1, 6), views, stores, in_doubles);
        for (const KernelTable* table : tables()) {
            CAPTURE(table->name);
            step.run(*table);
            double worst = 0.0;
            each_index(dims, [&](const Dims& index) {
                std::vector<double> loaded, stored(static_cast<size_t>(views)), numbers;
                for (int v = 0; v < views; ++v) loaded.push_back(v < stores ? 0.0 : step[v + 1](index));
                for (int i = 0; i < 3; ++i) numbers.push_back(step[0]({i}));
                if (in_doubles) {
                    evaluate<double>(step.integers(), numbers, loaded, stored);
                } else {
                    std::vector<float> narrow(loaded.begin(), loaded.end()), out(stored.size());
                    evaluate<float>(step.integers(), numbers, narrow, out);
                    stored.assign(out.begin(), out.end());
                }
                for (int s = 0; s < stores; ++s) {
                    const double wanted = step[s + 1].view().type == kFloat32
                                              ? static_cast<double>(static_cast<float>(stored[s]))
                                              : stored[s];
                    if (wanted != step[s + 1](index)) worst = std::max(worst, std::abs(wanted - step[s + 1](index)));
                }
            });
            CHECK(worst == 0.0);
        }
    }
}

TEST_CASE("a program that would touch what isn't its own is refused") {
    std::mt19937 random(14);
    KernelStep step(kPointwise);
    step.add({2}, kFloat64, random).read_only();
    step.add({5}, kFloat32, random);
    step.add({5}, kFloat32, random).read_only();
    const KernelTable& table = best_kernels();
    const std::vector<int32_t> good = {0, 2,    kLoad, 0, 1, 0, 0,      kNumber, 1, 1, 0,
                                       0, kAdd, 0,     0, 1, 0, kStore, 0,       0, 0, 0};
    step.integers() = good;
    CHECK(step.refused(table).empty());
    const std::vector<std::pair<size_t, int32_t>> changes = {{0, 2},
                                                             {0, -1},
                                                             {1, 0},
                                                             {1, 33},
                                                             {1, 1},
                                                             {2, kOperations},
                                                             {2, -1},
                                                             {3, 2},
                                                             {3, -1},
                                                             {4, 2},
                                                             {4, -1},
                                                             {8, 2},
                                                             {9, 2},
                                                             {9, -1},
                                                             {14, 2},
                                                             {15, 2},
                                                             {14, -1},
                                                             {19, 2},
                                                             {19, -1},
                                                             {20, 1},
                                                             {20, 2},
                                                             {20, -1},
                                                             {12, kSelect + 100}};
    for (const auto& [place, value] : changes) {
        CAPTURE(place);
        CAPTURE(value);
        step.integers() = good;
        step.integers()[place] = value;
        CHECK(!step.refused(table).empty());
    }
    step.integers() = good;
    step.integers().push_back(0);
    CHECK(!step.refused(table).empty());
    step.integers() = {0};
    CHECK(!step.refused(table).empty());
    step.integers() = good;
    step[2].view().dims[0] = 4;
    CHECK(!step.refused(table).empty());
    step[2].view().dims[0] = 5;
    step[0].view().type = kFloat32;
    CHECK(!step.refused(table).empty());
}

TEST_CASE("what is stored may be where it was loaded from") {
    const int rows = 3, columns = 320;
    for (const KernelTable* table : tables())
        for (const bool is_swapped : {false, true}) {
            CAPTURE(table->name);
            std::vector<float> x(rows * columns + 16), y(rows * columns + 16);
            for (size_t i = 0; i < x.size(); ++i)
                x[i] = static_cast<float>(i), y[i] = -2.0f * static_cast<float>(i) - 1.0f;
            const std::vector<float> x_was = x, y_was = y;
            Operand constants{}, of_x{};
            constants.type = kFloat64;
            constants.rank = 1;
            of_x = {x.data(), kFloat32, 2, 0, true, {rows, columns}, {columns, 1}};
            Operand of_y = of_x;
            of_y.data = y.data();
            const Operand views[] = {constants, of_x, of_y};
            const std::vector<int32_t> swap = {0, 2,      kLoad, 0, 0, 0, 0,      kLoad, 1, 1, 0,
                                               0, kStore, 0,     0, 1, 0, kStore, 0,     1, 0, 0};
            const std::vector<int32_t> sum = {0, 2,    kLoad, 0, 0, 0, 0,      kLoad, 1, 1, 0,
                                              0, kAdd, 1,     0, 1, 0, kStore, 0,     1, 0, 0};
            const std::vector<int32_t>& code = is_swapped ? swap : sum;
            alignas(64) std::byte scratch[4096];
            const Call call = {views, code.data(), 3, static_cast<uint32_t>(code.size()), scratch};
            REQUIRE(table->kernels[kPointwise].check(call).scratch_bytes <= sizeof scratch);
            table->kernels[kPointwise].run(call);
            bool is_right = true;
            for (size_t i = 0; i < rows * columns; ++i) {
                is_right = is_right && x[i] == (is_swapped ? y_was[i] : x_was[i] + y_was[i]);
                is_right = is_right && y[i] == (is_swapped ? x_was[i] : y_was[i]);
            }
            CHECK(is_right);
            CHECK(std::equal(x.end() - 16, x.end(), x_was.end() - 16));
        }
}
