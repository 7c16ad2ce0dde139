// Decimals against the C library's own.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "signal/decimal.hpp"

using namespace neutone_like;

TEST_CASE("decimals with up to fifteen digits are read exactly") {
    std::mt19937 random(1);
    for (int round = 0; round < 20000; ++round) {
        const int digits = 1 + static_cast<int>(random() % 15);
        const double scale = std::pow(10.0, static_cast<double>(random() % 20) - 10.0);
        char text[64];
        std::snprintf(text, sizeof text, "%.*g", digits, (static_cast<double>(random()) - 2e9) * scale);
        CAPTURE(std::string(text));
        double value = 0.0;
        REQUIRE(read_decimal(text, value) == std::string(text).size());
        CHECK(value == std::strtod(text, nullptr));
    }
}

TEST_CASE("others are read to their last digits") {
    for (const char* text : {"0.30000000000000004", "1e-300", "4.9e-324", "1.7976931348623157e308",
                             "123456789012345678901234567890", "1e23"}) {
        CAPTURE(std::string(text));
        double value = 0.0;
        REQUIRE(read_decimal(text, value) == std::string(text).size());
        CHECK(value == doctest::Approx(std::strtod(text, nullptr)).epsilon(1e-14));
    }
    double value = 0.0;
    CHECK(read_decimal("1e400", value) == 5);
    CHECK(std::isinf(value));
}

TEST_CASE("what is no number is not read, and what follows one stays") {
    double value = 7.0;
    for (const char* text : {"", "-", "x", "nan", "inf", "e5", ".", "-."}) CHECK(read_decimal(text, value) == 0);
    CHECK(value == 7.0);
    CHECK(read_decimal("2.5 dB", value) == 3);
    CHECK(read_decimal("-.5e", value) == 3);
    CHECK(value == -0.5);
    CHECK(read_decimal("1.e", value) == 1);
}
