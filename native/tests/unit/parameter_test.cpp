// Values, as 0..1 and as text.
#include <doctest/doctest.h>

#include <clocale>

#include "model/host_error.hpp"
#include "model/parameter.hpp"

using namespace neutone_like;

namespace {

Parameter knob() {
    Parameter parameter;
    parameter.name = "drive";
    parameter.unit = "dB";
    parameter.minimum = -12.0;
    parameter.maximum = 36.0;
    return parameter;
}

Parameter choice() {
    Parameter parameter;
    parameter.name = "mode";
    parameter.labels = {"clean", "7", "fuzz"};
    parameter.maximum = 2.0;
    return parameter;
}

}  // namespace

TEST_CASE("a knob reads and writes numbers with their unit") {
    CHECK(knob().to_text(24.0) == "24 dB");
    CHECK(knob().to_text(-0.125) == "-0.125 dB");
    for (const char* text : {"24", " 24 ", "24 dB", "24dB", "2.4e1"}) {
        CAPTURE(text);
        CHECK(knob().from_text(text) == 24.0);
    }
    CHECK(knob().to_0to1(-12.0) == 0.0f);
    CHECK(knob().to_0to1(36.0) == 1.0f);
    CHECK(knob().to_0to1(12.0) == 0.5f);
}

TEST_CASE("every value survives its text") {
    for (double value = -12.0; value <= 36.0; value += 0.0625) CHECK(knob().from_text(knob().to_text(value)) == value);
}

TEST_CASE("what a knob doesn't allow is refused, with what it does") {
    for (const char* text : {"", "loud", "37", "-12.1", "24 Hz", "24 dB more", "nan", "inf", "1e999"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(knob().from_text(text), HostError);
    }
    CHECK_THROWS_WITH(knob().from_text("37"), "Parameter 'drive': allowed is -12..36 dB, got the text '37'.");
}

TEST_CASE("a choice reads labels before indices") {
    CHECK(choice().to_text(2.0) == "fuzz");
    CHECK(choice().from_text("fuzz") == 2.0);
    CHECK(choice().from_text("7") == 1.0);
    CHECK(choice().from_text("0") == 0.0);
    CHECK_FALSE(choice().allows(0.5));
    CHECK_FALSE(choice().allows(3.0));
    CHECK_THROWS_WITH(choice().from_text("warm"),
                      "Parameter 'mode': allowed is one of clean, 7, fuzz or an index in 0..2, got the text 'warm'.");
}

TEST_CASE("a decimal comma of the host's locale changes nothing") {
    const char* const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    bool found = false;
    for (const char* name : names) found = found || std::setlocale(LC_NUMERIC, name) != nullptr;
    if (!found) MESSAGE("no locale with a comma is installed: this checks the C locale only");
    CHECK(knob().to_text(0.5) == "0.5 dB");
    CHECK(knob().from_text("0.5") == 0.5);
    std::setlocale(LC_NUMERIC, "C");
}
