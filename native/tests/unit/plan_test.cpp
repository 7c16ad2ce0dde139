// Latency arithmetic against simulations that push and pop sample by sample.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "signal/plan.hpp"

using namespace neutone_like;

namespace {

// The most model samples, times `down`, that ever wait for the rest of their block when the host has just called, where
// host sample n makes n * up / down model samples.
int64_t longest_wait(int64_t host_block, int64_t model_block, int64_t up, int64_t down) {
    int64_t longest = 0;
    for (int64_t host = host_block; host <= host_block * model_block * down; host += host_block) {
        const int64_t given = host * up;  // in model samples, times down
        const int64_t whole = (host * up + down - 1) / down / model_block * model_block;
        longest = std::max(longest, given - whole * down);
    }
    return longest;
}

// The least silence in front with which a host that pushes H, runs whole blocks of M and pops H never runs dry.
int64_t least_prefill(int64_t host_block, int64_t model_block) {
    int64_t lowest = 0;
    int64_t waiting = 0;
    int64_t ready = 0;
    for (int call = 0; call < 200; ++call) {
        waiting += host_block;
        ready += waiting / model_block * model_block - host_block;
        waiting %= model_block;
        lowest = std::min(lowest, ready);
    }
    return -lowest;
}

}  // namespace

TEST_CASE("buffering at equal rates is the least that never runs dry") {
    for (int64_t host = 1; host <= 40; ++host) {
        for (int64_t model = 1; model <= 40; ++model) {
            CAPTURE(host);
            CAPTURE(model);
            CHECK(buffering_numerator(host, model, 1, 1) == least_prefill(host, model));
        }
    }
}

TEST_CASE("buffering at different rates covers the longest wait, and not a step more") {
    const std::pair<int64_t, int64_t> ratios[] = {{147, 160}, {160, 147}, {1, 3}, {3, 1}, {2, 3}};
    for (const auto& [up, down] : ratios) {
        for (const int64_t host : {1, 7, 16, 64}) {
            for (const int64_t model : {1, 5, 16, 48}) {
                CAPTURE(up);
                CAPTURE(host);
                CAPTURE(model);
                const int64_t counted = buffering_numerator(host, model, up, down);
                const int64_t step = std::gcd(host * up, model * down);
                CHECK(counted >= longest_wait(host, model, up, down) - (down - 1));
                CHECK(counted - longest_wait(host, model, up, down) < step + down);
                CHECK(counted <= (model - 1) * down);
            }
        }
    }
}

TEST_CASE("the model's rate: the host's own, else the next above, else the highest") {
    CHECK(choose_rate(48000, {}) == 48000);
    CHECK(choose_rate(48000, {44100, 48000}) == 48000);
    CHECK(choose_rate(32000, {96000, 16000, 44100}) == 44100);
    CHECK(choose_rate(192000, {44100, 96000, 48000}) == 96000);
}

TEST_CASE("the model's block is the one that waits least, the largest of those") {
    CHECK(choose_block(64, {}, 1, 1) == 0);
    for (int host = 1; host <= 64; ++host) {
        const std::vector<int> sizes{12, 16, 32, 48, 64};
        int best = 0;
        for (const int size : sizes) {
            const bool better = best == 0 || least_prefill(host, size) < least_prefill(host, best);
            if (better || (least_prefill(host, size) == least_prefill(host, best) && size > best)) best = size;
        }
        CHECK(choose_block(host, sizes, 1, 1) == best);
    }
}

TEST_CASE("waiting for a worker: the output is asked for no earlier than it can be there") {
    for (const double seconds : {0.0, 0.0004, 0.003, 0.02}) {
        for (const int block : {1, 64, 441}) {
            const int64_t wait = inference_wait_samples(seconds, block, 48000, false);
            CHECK(wait % block == 0);
            CHECK(wait >= std::max<double>(block, seconds * 48000.0));
            CHECK(wait - block < std::max<double>(block, seconds * 48000.0));
            CHECK(inference_wait_samples(seconds, block, 48000, true) >= block - 1 + seconds * 48000.0);
        }
    }
}

TEST_CASE("a configuration that can't be is refused by name") {
    SessionConfig config;
    config.sample_rate = 10;
    CHECK_THROWS_WITH_AS(check_config(config), "sample_rate must lie in 1000..384000, got 10.", EngineError);
    config = {};
    config.channels = 3;
    CHECK_THROWS_AS(check_config(config), EngineError);
    config = {};
    config.model_rate = 44100;  // without filters
    CHECK_THROWS_AS(check_config(config), EngineError);
    config = {};
    CHECK_NOTHROW(check_config(config));
}
