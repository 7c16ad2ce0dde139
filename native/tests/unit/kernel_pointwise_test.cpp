// Programs: every operation against the C library in a wider type, and the interpreter against the loop that it stands for.
#include <cmath>
#include <limits>

#include "kernel_step.hpp"

using namespace kernel_test;

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
    const Real e = 0;
    (void)e;
    static const std::vector<Case> all = {
        {kAdd, "add", [](Real a, Real b) { return a + b; }, -9, 9, 0.5},
        {kSubtract, "subtract", [](Real a, Real b) { return a - b; }, -9, 9, 0.5},
        {kMultiply, "multiply", [](Real a, Real b) { return a * b; }, -9, 9, 0.5},
        {kDivide, "divide", [](Real a, Real b) { return a / b; }, -9, 9, 0.5},
        {kMinimum, "minimum", [](Real a, Real b) { return a != a || b != b ? a + b : std::min(a, b); }, -9, 9, 0},
        {kMaximum, "maximum", [](Real a, Real b) { return a != a || b != b ? a + b : std::max(a, b); }, -9, 9, 0},
        {kPower, "power", [](Real a, Real b) { return std::pow(a, b); }, 0, 20, 2},
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
    std::vector<double> values = {0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 2.0, -2.0, 3.0, -3.0, inf, -inf, std::nan(""),
                                  1e-30, -1e-30, 1e30, -1e30, 1e8, -1e8, 6e9, 1e15, 88.7, -87.0, 90.0, -104.0, 4503599627370497.5};
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
            step.integers() = {in_doubles, 2, kLoad, 0, 1, 0, 0, kLoad, 1, 2, 0, 0, one.operation, 0, 0, 1, 0,
                               kStore,     0, 0,     0, 0};
            for (const KernelTable* table : tables()) {
                // Views count from 0 after the constants: out is 0.
                step.run(*table);
                double worst = 0.0;
                int place = 0;
                for (int i = 0; i < count; ++i) {
                    const double off = distance_in(type, step[1]({i}), one.truth(a[i], b[i]));
                    if (off > worst) worst = off, place = i;
                }
                INFO(table->name << " " << one.name << (in_doubles ? " float64 " : " float32 ") << a[place] << " " << b[place]
                                 << " -> " << step[1]({place}) << ", not "
                                 << static_cast<double>(one.truth(a[place], b[place])));
                CHECK(worst <= (in_doubles ? one.doubles_ulp + 0.01 : 2.0));
            }
        }
}
