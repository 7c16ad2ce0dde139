// JSON as RFC 8259 has it, and what it hasn't.
#include <doctest/doctest.h>

#include <string>

#include "model/json.hpp"

using namespace neutone_like;

namespace {

Json read(const std::string& text) {
    Json value;
    std::string problem;
    CAPTURE(text);
    REQUIRE(read_json(text, value, problem));
    return value;
}

std::string problem_of(const std::string& text) {
    Json value;
    std::string problem;
    return read_json(text, value, problem) ? "" : problem;
}

}  // namespace

TEST_CASE("values of every kind") {
    const std::string text = R"( {"a": [1, -2.5e1, true, false, null], "b": {"c": "d"}, "a2": [], "o": {}} )";
    const Json value = read(text);
    REQUIRE(value.kind == Json::Kind::object);
    const Json& list = *value.find("a");
    REQUIRE(list.items.size() == 5);
    CHECK(list.items[1].number == -25.0);
    CHECK(list.items[2].truth);
    CHECK_FALSE(list.items[3].truth);
    CHECK(list.items[3].kind == Json::Kind::truth);
    CHECK(list.items[4].kind == Json::Kind::null);
    CHECK(list.written == "[1, -2.5e1, true, false, null]");
    CHECK(value.find("b")->find("c")->text == "d");
    CHECK(value.find("none") == nullptr);
    const std::string twice = R"({"k": 1, "k": 2})";
    CHECK(read(twice).find("k")->number == 2.0);
}

TEST_CASE("texts have escapes and UTF-8") {
    CHECK(read(R"("\"\\\/\b\f\n\r\t")").text == "\"\\/\b\f\n\r\t");
    CHECK(read(R"("\u00e9\u20AC\ud83C\udFB8")").text == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB8");
    CHECK(read("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB8\"").text == "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xB8");
}

TEST_CASE("what is no JSON is refused") {
    for (const char* text : {"",
                             " ",
                             "{",
                             "[1",
                             "[1,]",
                             "{\"a\"}",
                             "{\"a\":}",
                             "{a:1}",
                             "[1 2]",
                             "01",
                             "-",
                             "+1",
                             ".5",
                             "1.",
                             "1e",
                             "0x1",
                             "NaN",
                             "Infinity",
                             "tru",
                             "\"",
                             "\"\\x\"",
                             "\"\\u12\"",
                             "\"\\ud800\"",
                             "\"\\ud800\\u0041\"",
                             "\"\\udc00\"",
                             "\"\n\"",
                             "\"\xff\"",
                             "\"\xC0\x80\"",
                             "\"\xED\xA0\x80\"",
                             "\"\xF4\x90\x80\x80\"",
                             "\"\xE2\x82\"",
                             "1e400",
                             "{} {}"}) {
        CAPTURE(std::string(text));
        CHECK_FALSE(problem_of(text).empty());
    }
    CHECK(problem_of("[1, x]") == "a value expected at byte 4");
    CHECK(problem_of(std::string(64, '[') + std::string(64, ']')).empty());
    CHECK(problem_of(std::string(100000, '[')) == "fewer levels expected at byte 65");
}
