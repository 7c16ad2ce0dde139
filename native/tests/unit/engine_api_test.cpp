// engine.h as hosts use it, and misuse it.
#include <doctest/doctest.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "gain_model.hpp"
#include "neutone_like/engine.hpp"
#include "neutone_like/version.h"

namespace {

struct Audio {
    explicit Audio(int channels, int samples) : memory(channels, std::vector<float>(samples)) {
        for (auto& row : memory) rows.push_back(row.data());
    }
    std::vector<std::vector<float>> memory;
    std::vector<float*> rows;
};

Audio ramp(int channels, int samples) {
    Audio audio(channels, samples);
    for (auto& row : audio.memory) {
        for (int i = 0; i < samples; ++i) row[i] = static_cast<float>(i + 1) / static_cast<float>(samples);
    }
    return audio;
}

nl::Host inline_host(int block) {
    nl::Host host;
    host.block_size = block;
    host.mode = NL_INLINE;
    return host;
}

bool said(const char* part) { return std::strstr(nl_last_error(), part) != nullptr; }

}  // namespace

TEST_CASE("the library says which version it is") {
    CHECK(nl_engine_api() == NL_ENGINE_API);
    CHECK(std::string(nl_version()) == NEUTONE_LIKE_VERSION);
    CHECK(std::string(nl_result_text(NL_TWO_THREADS)) == "another thread is inside nl_process");
    CHECK(std::string(nl_result_text(static_cast<nl_result>(99))) == "no result of this library");
}

TEST_CASE("a model is played with its parameters in their own units") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    CHECK(session.output_channels() == 0);
    session.set("gain", 2.5);  // before anything is prepared
    session.set("way", "down");
    session.prepare(inline_host(64));
    CHECK(session.output_channels() == 2);
    CHECK(session.latency_samples() == 0);
    Audio in = ramp(2, 64);
    Audio out(2, 64);
    REQUIRE(session.process(in.rows.data(), out.rows.data(), 64) == NL_SUCCESS);
    for (int i = 0; i < 64; ++i) CHECK(out.memory[1][i] == doctest::Approx(-2.5 * in.memory[1][i]));
    CHECK(session.get("gain") == 2.5);
    CHECK(session.get("way") == 1.0);
    CHECK(session.to_text(session.find("way"), 1.0) == "down");
    CHECK(session.from_text(session.find("gain"), "1.5 x") == 1.5);
    CHECK(std::string(session.info().name) == "Gain");
    CHECK(session.info().metadata == GainModel{}.json());
    const std::vector<nl::Parameter> parameters = session.parameters();
    REQUIRE(parameters.size() == 2);
    CHECK(parameters[0].unit == "x");
    CHECK(parameters[0].description == "How loud");
    CHECK(parameters[1].labels == std::vector<std::string>{"up", "down"});
    CHECK(session.statistics().samples == 64);
    CHECK(session.statistics().callback_seconds_max > 0.0);
}

TEST_CASE("rates and blocks are adapted: whole, and as late as is said") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{"[44100]", "[512]"}.json(), kGainBackend);
    session.prepare(inline_host(128));
    const auto latency = static_cast<int>(session.latency_samples());
    CHECK(latency > 512);
    Audio in(2, 8192);
    Audio out(2, 8192);
    for (int i = 0; i < 8192; ++i) in.memory[0][i] = in.memory[1][i] = static_cast<float>(std::sin(0.1 * i));
    for (int position = 0; position < 8192; position += 128) {
        const float* source[] = {in.rows[0] + position, in.rows[1] + position};
        float* target[] = {out.rows[0] + position, out.rows[1] + position};
        REQUIRE(session.process(source, target, 128) == NL_SUCCESS);
    }
    for (int n = latency + 500; n < 8192; ++n) CHECK(std::abs(out.memory[0][n] - std::sin(0.1 * (n - latency))) < 1e-4);
    session.process_offline(in.rows.data(), out.rows.data(), 8192);
    for (int n = 500; n < 7500; ++n) CHECK(std::abs(out.memory[0][n] - std::sin(0.1 * n)) < 1e-4);
}

TEST_CASE("another maker's file is played by its own wrapper") {
    GainModel model;
    model.ours = false;
    nl::Engine engine;
    nl::Session session = engine.open(model.json(), kGainBackend);
    CHECK(session.info().made_by_neutone_like == 0);
    session.prepare(inline_host(64));
    session.set("level", 0.25);
    Audio in = ramp(2, 64);
    Audio out(2, 64);
    REQUIRE(session.process(in.rows.data(), out.rows.data(), 64) == NL_SUCCESS);
    CHECK(out.memory[0][63] == doctest::Approx(0.25));
    nl::Host wide = inline_host(64);
    wide.channels = 4;
    CHECK_THROWS_AS(session.prepare(wide), nl::Error);
}

TEST_CASE("what is not a model, or no backend, is refused when it is opened") {
    nl_engine* engine = nullptr;
    nl_session* session = reinterpret_cast<nl_session*>(&engine);
    REQUIRE(nl_engine_create(nullptr, &engine) == NL_SUCCESS);
    CHECK(nl_session_open(engine, "x", "nowhere.so", &session) == NL_NO_BACKEND);
    CHECK(session == nullptr);
    CHECK(said("nowhere.so can't be loaded"));
    CHECK(nl_session_open(engine, "silent", kGainBackend, &session) == NL_BAD_MODEL);
    CHECK(said("there is no file silent"));
    CHECK(nl_session_open(engine, "broken", kGainBackend, &session) == NL_BAD_MODEL);
    CHECK(said("not JSON"));
    CHECK(nl_session_open(nullptr, "x", kGainBackend, &session) == NL_WRONG_USE);
    CHECK(nl_session_open(engine, nullptr, kGainBackend, &session) == NL_WRONG_USE);
    CHECK(nl_session_open(engine, "x", kGainBackend, nullptr) == NL_WRONG_USE);
    nl_engine_destroy(engine);
    nl_engine_destroy(nullptr);
    nl_session_close(nullptr);
}

TEST_CASE("structs say their size") {
    nl_engine* engine = nullptr;
    nl_engine_options options{};
    CHECK(nl_engine_create(&options, &engine) == NL_WRONG_USE);
    CHECK(said("NL_ENGINE_OPTIONS_INIT"));
    options = NL_ENGINE_OPTIONS_INIT;
    options.size = sizeof options + 8;
    CHECK(nl_engine_create(&options, &engine) == NL_WRONG_USE);
    options = NL_ENGINE_OPTIONS_INIT;
    options.workers = 0;
    CHECK(nl_engine_create(&options, &engine) == NL_FAILED);
    CHECK(said("workers must lie in 1..256, got 0"));
    // A caller whose header ends earlier: what it doesn't have is as by default, and nothing is written beyond its end.
    options = NL_ENGINE_OPTIONS_INIT;
    options.size = offsetof(nl_engine_options, polling);
    options.watchdog_seconds = -1.0;
    REQUIRE(nl_engine_create(&options, &engine) == NL_SUCCESS);
    nl_session* session = nullptr;
    REQUIRE(nl_session_open(engine, GainModel{}.json().c_str(), kGainBackend, &session) == NL_SUCCESS);
    nl_model_info info = NL_MODEL_INFO_INIT;
    info.size = offsetof(nl_model_info, description);
    info.out_channels = 77;
    REQUIRE(nl_get_model_info(session, &info) == NL_SUCCESS);
    CHECK(std::string(info.version) == "1.2.3");
    CHECK(info.out_channels == 77);
    CHECK(info.size == offsetof(nl_model_info, description));
    nl_session_close(session);
    nl_engine_destroy(engine);
}

TEST_CASE("nothing is processed before it is prepared, or beyond what was promised") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    Audio in = ramp(2, 128);
    Audio out(2, 128);
    out.memory[0][0] = 5.0f;
    CHECK(session.process(in.rows.data(), out.rows.data(), 64) == NL_NOT_PREPARED);
    CHECK_THROWS_AS(session.reset(), nl::Error);
    CHECK_THROWS_AS(session.statistics(), nl::Error);
    session.prepare(inline_host(64));
    CHECK(session.process(in.rows.data(), out.rows.data(), 65) == NL_BLOCK_TOO_LONG);
    CHECK(session.process(in.rows.data(), out.rows.data(), -1) == NL_WRONG_USE);
    CHECK(session.process(nullptr, out.rows.data(), 64) == NL_WRONG_USE);
    CHECK(nl_process(nullptr, in.rows.data(), out.rows.data(), 64) == NL_WRONG_USE);
    CHECK(out.memory[0][0] == 5.0f);
    CHECK(session.process(in.rows.data(), out.rows.data(), 0) == NL_SUCCESS);
    nl::Host host = inline_host(64);
    host.sample_rate = 10;
    CHECK_THROWS_WITH_AS(session.prepare(host), "sample_rate must lie in 1000..384000, got 10.", nl::Error);
    host = inline_host(64);
    host.mode = 7;
    CHECK_THROWS_AS(session.prepare(host), nl::Error);
    CHECK(session.process(in.rows.data(), out.rows.data(), 64) == NL_SUCCESS);  // such a wish leaves all as it was
}

TEST_CASE("values that a parameter doesn't have leave it as it was") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    for (const double value : {-0.1, 4.1, static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
        CHECK(nl_set_parameter(session.c(), "gain", value) == NL_OUT_OF_RANGE);
        CHECK(said("Parameter 'gain': allowed is 0..4 x, got"));
        CHECK(session.set(0, value) == NL_OUT_OF_RANGE);
    }
    CHECK(nl_set_parameter(session.c(), "way", 0.5) == NL_OUT_OF_RANGE);
    CHECK(session.get("gain") == 1.0);
    CHECK(nl_set_parameter(session.c(), "gian", 1.0) == NL_NO_PARAMETER);
    CHECK(said("The model has no parameter 'gian'; it has gain, way."));
    CHECK(nl_set_parameter(session.c(), nullptr, 1.0) == NL_WRONG_USE);
    CHECK(session.set(2, 1.0) == NL_NO_PARAMETER);
    CHECK(session.set(-1, 1.0) == NL_NO_PARAMETER);
    double value = 0.0;
    CHECK(nl_get_parameter_at(session.c(), 1, &value) == NL_SUCCESS);
    CHECK(nl_get_parameter_at(session.c(), 2, &value) == NL_NO_PARAMETER);
    nl_parameter parameter = NL_PARAMETER_INIT;
    CHECK(nl_get_parameter_info(session.c(), 2, &parameter) == NL_NO_PARAMETER);
    char text[4];
    CHECK(nl_parameter_to_text(session.c(), 1, 1.0, text, sizeof text) == NL_WRONG_USE);
    CHECK(said("needs 5 bytes, got room for 4"));
}

TEST_CASE("a model that fails is silent, counted and quoted") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    session.prepare(inline_host(64));
    session.set("gain", 3.0);
    session.prepare(inline_host(64));  // so that no glide comes first
    Audio in = ramp(2, 64);
    Audio out = ramp(2, 64);
    CHECK(session.process(in.rows.data(), out.rows.data(), 64) == NL_SUCCESS);
    CHECK(out.memory[0] == std::vector<float>(64, 0.0f));
    CHECK(session.statistics().failed_blocks > 0);
    CHECK(std::string(session.statistics().last_model_error) == "this gain was told to fail");
    CHECK_THROWS_AS(session.process_offline(in.rows.data(), out.rows.data(), 64), nl::Error);
    CHECK(said("Gain failed in"));
}

TEST_CASE("without its engine a session plays no more") {
    nl_engine* engine = nullptr;
    nl_session* session = nullptr;
    REQUIRE(nl_engine_create(nullptr, &engine) == NL_SUCCESS);
    REQUIRE(nl_session_open(engine, GainModel{}.json().c_str(), kGainBackend, &session) == NL_SUCCESS);
    const nl_host host = NL_HOST_INIT;
    REQUIRE(nl_prepare(session, &host) == NL_SUCCESS);
    nl_engine_destroy(engine);
    Audio in = ramp(2, 64);
    Audio out(2, 64);
    CHECK(nl_process(session, in.rows.data(), out.rows.data(), 64) == NL_CLOSED);
    CHECK(nl_prepare(session, &host) == NL_CLOSED);
    CHECK(nl_reset(session) == NL_FAILED);
    nl_session_close(session);
}

TEST_CASE("a host may let its callback wait for the worker") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    nl::Host host;
    host.block_size = 16384;
    host.max_inference_seconds = 0.001;
    session.prepare(host);
    CHECK(session.latency_samples() == 16384);
    host.wait_fraction = 0.9;
    session.prepare(host);
    CHECK(session.latency_samples() == 0);
    session.set("gain", 2.0);
    Audio in = ramp(2, 16384);
    Audio out(2, 16384);
    int wrong = 0;
    for (int callback = 0; callback < 20; ++callback) {
        REQUIRE(session.process(in.rows.data(), out.rows.data(), 16384) == NL_SUCCESS);
        for (int i = 16000; i < 16384; ++i) wrong += std::abs(out.memory[1][i]) < std::abs(in.memory[1][i]);
    }
    CHECK(wrong == 0);
    const nl_statistics statistics = session.statistics();
    CHECK(statistics.missing_samples == 0);
    CHECK(statistics.waits <= 20);
    CHECK((statistics.waited_seconds > 0.0) == (statistics.waits > 0));
    for (const double fraction : {1.0, -0.5, std::nan("")}) {
        host.wait_fraction = fraction;
        CHECK_THROWS_AS(session.prepare(host), nl::Error);
        CHECK(said("wait_fraction must be at least 0 and below 1, got"));
    }
    host.wait_fraction = 0.5;
    host.mode = NL_INLINE;
    CHECK_THROWS_AS(session.prepare(host), nl::Error);
    CHECK(said("there is no worker to wait for"));
}

TEST_CASE("a host that was compiled before callbacks could wait never does, and reads no further than it knows") {
    nl_engine* engine = nullptr;
    nl_session* session = nullptr;
    REQUIRE(nl_engine_create(nullptr, &engine) == NL_SUCCESS);
    REQUIRE(nl_session_open(engine, GainModel{}.json().c_str(), kGainBackend, &session) == NL_SUCCESS);
    nl_host host = NL_HOST_INIT;
    host.size = offsetof(nl_host, wait_fraction);
    host.max_inference_seconds = 0.001;
    host.wait_fraction = 0.9;  // what happens to lie behind it
    REQUIRE(nl_prepare(session, &host) == NL_SUCCESS);
    CHECK(nl_latency_samples(session) == 512);
    nl_statistics statistics = NL_STATISTICS_INIT;
    statistics.size = offsetof(nl_statistics, waits);
    statistics.waits = 77;
    REQUIRE(nl_get_statistics(session, &statistics) == NL_SUCCESS);
    CHECK(statistics.waits == 77);
    nl_session_close(session);
    nl_engine_destroy(engine);
}

TEST_CASE("preparing, setting and reading from other threads while the audio thread plays") {
    nl::Engine engine;
    nl::Session session = engine.open(GainModel{}.json(), kGainBackend);
    nl::Host host = inline_host(32);
    host.mode = NL_ASYNC;
    host.max_inference_seconds = 0.001;
    session.prepare(host);
    std::atomic<bool> stop{false};
    std::atomic<int> strange{0};
    std::thread audio([&] {
        Audio in = ramp(2, 32);
        Audio out(2, 32);
        while (!stop) {
            const nl_result result = session.process(in.rows.data(), out.rows.data(), 32);
            if (result != NL_SUCCESS && result != NL_NOT_PREPARED) ++strange;
            for (const float sample : out.memory[0]) strange += !(std::abs(sample) <= 4.0f);
            std::this_thread::yield();
        }
    });
    std::thread knob([&] {
        for (int turn = 0; !stop; ++turn) session.set(0, 0.1 * (turn % 20));
    });
    for (int round = 0; round < 20; ++round) {
        session.prepare(host);
        session.reset();
        CHECK(session.statistics().failed_blocks == 0);
        CHECK(session.latency_samples() > 0);
    }
    stop = true;
    audio.join();
    knob.join();
    CHECK(strange == 0);
}
