// The vectors' exponentials against double, over all floats that there are (one in 4001 of them).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <string>

// As the baseline's kernels see it; the kernels' own tests cover the other instruction sets.
#include "kernels/isa/activations.hpp"

namespace isa = neutone_like::compiled;

namespace {

struct Errors {
    double relative = 0.0;
    int wrong = 0;  // infinities, NaN, and results smaller than a normal number
};

template <typename Function, typename Exact>
Errors errors(Function function, Exact exact) {
    Errors found;
    for (uint64_t first = 0; first < (uint64_t{1} << 32); first += isa::kLanes * uint64_t{4001}) {
        float in[isa::kLanes], out[isa::kLanes];
        for (int lane = 0; lane < isa::kLanes; ++lane) {
            const auto bits = static_cast<uint32_t>(first + lane * uint64_t{4001});
            std::memcpy(in + lane, &bits, sizeof bits);
        }
        isa::store(out, function(isa::load(in)));
        for (int lane = 0; lane < isa::kLanes; ++lane) {
            const double wanted = exact(static_cast<double>(in[lane]));
            if (std::isnan(wanted) || std::isnan(out[lane])) {
                found.wrong += std::isnan(wanted) != std::isnan(out[lane]);
            } else if (std::abs(wanted) > 3.4028235e38) {
                found.wrong += std::abs(out[lane]) < 3.4028e38f || std::signbit(out[lane]) != std::signbit(wanted);
            } else if (std::abs(wanted) < 1.2e-38) {
                found.wrong += std::abs(out[lane] - wanted) > 1.2e-38;
            } else {
                found.relative = std::max(found.relative, std::abs(out[lane] - wanted) / std::abs(wanted));
            }
        }
    }
    return found;
}

}  // namespace

TEST_CASE("exponentials and activations are exact relative to their result, whatever the float") {
    using isa::Floats;
    const auto check = [](const std::string& name, const Errors& found, double most) {
        CAPTURE(name);
        CHECK(found.relative < most);
        CHECK(found.wrong == 0);
    };
    check("tanh", errors([](Floats x) { return isa::tanh(x); }, [](double x) { return std::tanh(x); }), 3e-7);
    check("expm1", errors([](Floats x) { return isa::expm1(x); }, [](double x) { return std::expm1(x); }), 3e-7);
    check("exp", errors([](Floats x) { return isa::exp(x); }, [](double x) { return std::exp(x); }), 2e-7);
    check("exp2", errors([](Floats x) { return isa::exp2(x); }, [](double x) { return std::exp2(x); }), 2e-7);
    // Where sigmoid is 1e-30 a little more is allowed: what matters is its distance from the true one.
    check("sigmoid",
          errors([](Floats x) { return isa::sigmoid(x); }, [](double x) { return 1.0 / (1.0 + std::exp(-x)); }), 5e-6);
    const auto fraction = [](Floats x) {
        const isa::Fraction result = isa::tanh_fraction(x, 1.0);
        return result.above / result.below;
    };
    check("tanh as a fraction", errors(fraction, [](double x) { return std::tanh(x); }), 4e-7);
    check("relu", errors([](Floats x) { return isa::relu(x); }, [](double x) { return x < 0.0 ? 0.0 : x; }), 1e-12);
}
