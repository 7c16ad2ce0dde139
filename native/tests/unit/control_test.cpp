// What other threads do with a session, in moments that a race seldom meets.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "engine/builtin_backends.hpp"
#include "engine/engine.hpp"

using namespace neutone_like;

namespace {

EngineConfig one_worker(double watchdog_seconds = 60.0) {
    EngineConfig config;
    config.realtime_priority = false;
    config.watchdog_seconds = watchdog_seconds;
    return config;
}

SessionConfig mono(Mode mode) {
    SessionConfig config;
    config.channels = config.in_channels = config.out_channels = 1;
    config.block_size = config.model_block = 64;
    config.mode = mode;
    return config;
}

std::shared_ptr<Session> open(Engine& engine, const nl_backend& backend, Mode mode) {
    std::vector<InstancePtr> instances;
    instances.push_back(Instance::create(&backend, "", ""));
    return engine.open(mono(mode), std::move(instances));
}

struct Block {
    std::vector<float> samples = std::vector<float>(64, 0.5f);
    const float* in = samples.data();
    std::vector<float> heard = std::vector<float>(64);
    float* out = heard.data();
};

std::atomic<int> resets{0};

nl_status counted_reset(void*, nl_error) {
    ++resets;
    return NL_OK;
}

nl_backend counting_resets() {
    nl_backend backend = *builtin_backend("identity");
    backend.reset = counted_reset;
    return backend;
}

// A model that holds the engine which plays it, as a callable does over however many objects.
std::shared_ptr<Engine> held_by_model;
std::atomic<bool> playing{false};
std::atomic<bool> may_return{false};
std::atomic<bool> gone{false};

nl_status slow(void*, const nl_block*, nl_error) {
    playing = true;
    while (!may_return) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return NL_OK;
}

void let_go_of_engine(void* instance) {
    builtin_backend("identity")->destroy(instance);
    held_by_model = nullptr;
    gone = true;
}

void wait_for(const std::atomic<bool>& flag) {
    while (!flag) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

TEST_CASE("a session that is closed while a reset begins is not touched any more") {
    const nl_backend backend = counting_resets();
    for (const Mode mode : {Mode::inline_, Mode::async}) {
        Engine engine(one_worker());
        const auto session = open(engine, backend, mode);
        const int before = resets;
        // Asked just after the reset has seen that the session is open.
        const StopRequest close_meanwhile = [&] { return session->close(), false; };
        CHECK_THROWS_WITH_AS(session->reset(close_meanwhile), "The session is closed. Open a new one with Engine.open.",
                             EngineError);
        CHECK(resets == before);
        CHECK_THROWS_AS(session->reset(), EngineError);
    }
}

TEST_CASE("on a device a session plays for that alone") {
    Engine engine(one_worker());
    const auto session = open(engine, *builtin_backend("identity"), Mode::inline_);
    Block block;
    CHECK(session->process_on_device(&block.in, &block.out, 64) == ProcessResult::ok);
    REQUIRE(session->take_device());
    CHECK_FALSE(session->take_device());
    CHECK(session->process(&block.in, &block.out, 64) == ProcessResult::on_device);
    CHECK(session->process(&block.in, &block.out, 0) == ProcessResult::on_device);
    CHECK(session->process_on_device(&block.in, &block.out, 64) == ProcessResult::ok);
    session->leave_device();
    CHECK(session->process(&block.in, &block.out, 64) == ProcessResult::ok);
    CHECK(session->stats().callbacks == 3);
    session->close();
    CHECK(session->process_on_device(&block.in, &block.out, 64) == ProcessResult::closed);
}

TEST_CASE("the last to hold an engine may be a model that the engine itself lets go of") {
    nl_backend backend = *builtin_backend("identity");
    backend.clone = nullptr;
    held_by_model = std::make_shared<Engine>(one_worker(0.2));
    may_return = true;
    backend.process = slow;
    backend.destroy = let_go_of_engine;
    auto session = open(*held_by_model, backend, Mode::async);
    playing = may_return = false;
    Block block;
    session->process(&block.in, &block.out, 64);
    wait_for(playing);
    session = nullptr;  // its worker is still inside, so that the watchdog clears it away
    may_return = true;
    wait_for(gone);
    CHECK(held_by_model == nullptr);
}
