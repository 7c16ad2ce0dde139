// What is heard in place of late samples.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "signal/late_filler.hpp"

using namespace neutone_like;

namespace {

SessionConfig config_of(LatePolicy policy) {
    SessionConfig config;
    config.sample_rate = 48000;
    config.block_size = 64;
    config.channels = 1;
    config.late_policy = policy;
    return config;
}

// A block of which the first half was in time, and then only late ones: what is heard from the half on.
std::vector<float> heard(LatePolicy policy, int64_t latency) {
    LateFiller filler;
    filler.prepare(config_of(policy), 1, latency);
    std::vector<float> all;
    for (int call = 0; call < 10; ++call) {
        std::vector<float> in(64);
        std::vector<float> out(64, 0.8f);
        for (int i = 0; i < 64; ++i) in[i] = static_cast<float>(call * 64 + i);
        const float* source[] = {in.data()};
        float* target[] = {out.data()};
        filler.hear(source, 64);
        const int good = call == 0 ? 32 : 0;
        filler.remember(target, good, good);
        filler.fill(target, good, 64 - good, 64, latency);
        all.insert(all.end(), out.begin() + good, out.end());
    }
    return all;
}

}  // namespace

TEST_CASE("fade: a line from the last sample to silence, within 5 ms") {
    const std::vector<float> late = heard(LatePolicy::fade, 0);
    for (size_t i = 0; i < late.size(); ++i) {
        CHECK(late[i] == doctest::Approx(0.8 * std::max(0.0, 1.0 - static_cast<double>(i + 1) / 240.0)).epsilon(1e-5));
    }
}

TEST_CASE("hold: the last sample stays") {
    for (const float sample : heard(LatePolicy::hold, 0)) CHECK(sample == 0.8f);
}

TEST_CASE("dry: the input, as late as the output is") {
    for (const int64_t latency : {0, 10, 100}) {
        const std::vector<float> late = heard(LatePolicy::dry, latency);
        for (int64_t i = 0; i < static_cast<int64_t>(late.size()); ++i) {
            CHECK(late[i] == static_cast<float>(std::max<int64_t>(0, 32 + i - latency)));
        }
    }
}

TEST_CASE("samples in time are left alone, and a fade begins anew after them") {
    LateFiller filler;
    filler.prepare(config_of(LatePolicy::fade), 1, 0);
    std::vector<float> out(64, 0.5f);
    float* target[] = {out.data()};
    filler.remember(target, 64, 64);
    filler.fill(target, 60, 4, 64, 0);
    CHECK(out[59] == 0.5f);
    CHECK(out[60] == doctest::Approx(0.5 * 239.0 / 240.0));
    filler.remember(target, 10, 10);
    filler.fill(target, 10, 1, 64, 0);
    CHECK(out[10] == doctest::Approx(0.5 * 239.0 / 240.0));
}
