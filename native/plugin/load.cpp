#include "load.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <vector>

#include "compiled/compiled_stream.hpp"
#include "voice.hpp"

namespace neutone_like::plugin {

namespace {

constexpr int kRate = 48000;
constexpr int kBlock = 64;
constexpr double kMostPart = 1.0 / 3.0;
constexpr double kLeastSeconds = 0.1;
constexpr int kRounds = 3;  // what else the machine does falls into some of them

using Clock = std::chrono::steady_clock;

struct Round {
    double slowest = 0.0;  // seconds
    double all = 0.0;
};

Round play(CompiledStream& stream, int64_t blocks, const std::vector<float>& values) {
    std::vector<float> left(kBlock), right(kBlock);
    uint32_t noise = 1;
    Round round;
    for (int64_t block = 0; block < blocks; ++block) {
        for (auto* row : {&left, &right}) {
            for (float& sample : *row) {
                noise = noise * 1664525u + 1013904223u;
                sample = static_cast<float>(static_cast<int32_t>(noise)) * 0.3f / 2147483648.0f;
            }
        }
        float* rows[] = {left.data(), right.data()};
        const auto start = Clock::now();
        stream.process(rows, rows, kBlock, values.data());
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        round.slowest = std::max(round.slowest, seconds);
        round.all += seconds;
    }
    return round;
}

bool measure(const Loaded& loaded) {
    CompiledStream stream(loaded.model, config_of(loaded.facts, kRate, kBlock, Layout{}));
    std::vector<float> values;
    for (const Parameter& parameter : loaded.facts.parameters) {
        values.push_back(parameter.to_0to1(parameter.default_value));
    }
    const auto samples = std::max<int64_t>(static_cast<int64_t>(kLeastSeconds * kRate), 2 * stream.latency_samples());
    const int64_t blocks = samples / kBlock + 1;
    const double block_seconds = static_cast<double>(kBlock) / kRate;
    double slowest = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const Round played = play(stream, blocks, values);
        slowest = std::min(slowest, played.slowest);
        if (played.all > static_cast<double>(blocks) * block_seconds) break;  // there is nothing left to find out
    }
    return slowest > kMostPart * block_seconds;
}

}  // namespace

bool is_heavy(const Loaded& loaded) {
    static std::mutex one_at_a_time;
    static std::map<std::string, bool> known;
    const std::scoped_lock lock(one_at_a_time);
    const auto found = known.find(loaded.digest);
    if (found != known.end()) return found->second;
    return known[loaded.digest] = measure(loaded);
}

}  // namespace neutone_like::plugin
