// Metadata as artifacts have it, and as nobody should.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "gain_model.hpp"
#include "model/host_error.hpp"
#include "model/model_facts.hpp"

using namespace neutone_like;

namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    const size_t at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("our own section has the parameters in their own units") {
    const ModelFacts facts = read_model_facts(GainModel{"[44100, 48000]", "[512]"}.json());
    CHECK(facts.name == "Gain");
    CHECK(facts.version == "1.2.3");
    CHECK(facts.is_ours);
    CHECK(facts.sample_rates == std::vector<int>{44100, 48000});
    CHECK(facts.block_sizes == std::vector<int>{512});
    REQUIRE(facts.parameters.size() == 2);
    CHECK(facts.parameters[0].unit == "x");
    CHECK(facts.parameters[0].maximum == 4.0);
    CHECK(facts.parameters[1].labels == std::vector<std::string>{"up", "down"});
    CHECK(facts.parameters[1].maximum == 1.0);
}

TEST_CASE("another maker's file has the slots that are used, in their order") {
    GainModel model;
    model.ours = false;
    model.channels = 1;
    const ModelFacts facts = read_model_facts(model.json());
    CHECK_FALSE(facts.is_ours);
    CHECK(facts.in_channels == 1);
    REQUIRE(facts.parameters.size() == 1);
    CHECK(facts.parameters[0].name == "level");
    CHECK(facts.parameters[0].default_value == 0.5);
}

TEST_CASE("what can't be is refused, by name") {
    const std::string good = GainModel{}.json();
    const auto check = [](const std::string& json, const std::string& message) {
        try {
            read_model_facts(json);
            FAIL_CHECK("was read: " << json);
        } catch (const HostError& error) {
            CHECK(error.result() == NL_BAD_MODEL);
            CHECK(std::string(error.what()).find(message) != std::string::npos);
            CAPTURE(std::string(error.what()));
        }
    };
    check("", "it is not JSON");
    check("{", "it is not JSON");
    check("\xff\xfe", "it is not JSON");
    check("[]", " must be an object, got []");
    check("{}", "model_name is missing");
    check(replaced(good, "\"Gain\"", "3"), "model_name must be a text, got 3");
    check(replaced(good, "\"Gain\"", "\"\\u00e9\\ud800\""), "it is not JSON");
    check(replaced(good, "\"native_sample_rates\": []", "\"native_sample_rates\": [0]"),
          "native_sample_rates[0] must be a whole number in 1..384000, got 0");
    check(replaced(good, "\"native_sample_rates\": []", "\"native_sample_rates\": [1e400]"), "it is not JSON");
    check(replaced(good, "\"native_sample_rates\": []", "\"native_sample_rates\": [99999999999999999999]"),
          "must be a whole number in 1..384000");
    check(replaced(good, "\"native_buffer_sizes\": []", "\"native_buffer_sizes\": {}"), "must be a list");
    check(replaced(good, "\"quality\": \"high\"", "\"quality\": \"best\""),
          "neutone_like.quality must be 'high' or 'fast'");
    check(replaced(good, "\"default\": 1.0", "\"default\": 5.0"), "whose default it allows");
    check(replaced(good, "\"minimum\": 0.0", "\"minimum\": 4.0"), "whose minimum is below its maximum");
    check(replaced(good, "[\"up\", \"down\"]", "[\"up\"]"), "two or more labels");
    check(replaced(good, "\"default\": 0,", "\"default\": 2,"), "whose default it allows");
    check(replaced(good, "\"type\": \"continuous\", \"default\": 1.0", "\"type\": \"text\", \"default\": 1.0"),
          "in a live model");
    check(GainModel{"[]", "[]", 2, true, 2}.json(), "schema version 2; this library reads up to version 1");
    check(R"({"audio_out_channels": [2]})", "not live");
    check(std::string(100000, '['), "it is not JSON");
}

TEST_CASE("damaged metadata is read or refused, and nothing else") {
    std::mt19937 random(1);
    const std::string good = GainModel{}.json();
    int read = 0;
    for (int round = 0; round < 5000; ++round) {
        std::string text = good;
        for (int change = 0; change < 2; ++change) {
            const size_t at = random() % text.size();
            if (random() % 3 == 0) text[at] = static_cast<char>(random());
            if (random() % 3 == 0) text.erase(at, 1 + random() % 20);
            if (random() % 3 == 0) text.insert(at, 1, "{}[]\",:\\0e-"[random() % 11]);
        }
        try {
            read_model_facts(text);
            ++read;
        } catch (const HostError& error) {
            CHECK(error.result() == NL_BAD_MODEL);
        }
    }
    CHECK(read > 100);
    CHECK(read < 4900);
}
