// compiled.h against engine.h with NL_INLINE: the same sound to the bit, and the same latency, whatever the host does.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gain_model.hpp"
#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"
#include "neutone_like/compiled.h"
#include "neutone_like/engine.hpp"
#include "plan_builder.hpp"
#include "written_file.hpp"

using namespace plan;

namespace {

// Its input three samples late, times its first parameter; blocks of any size, or of `multiple` samples.
Builder amplifier(const std::string& metadata, int32_t channels, int32_t multiple) {
    Builder builder;
    builder.metadata = metadata;
    builder.facts.shortest = builder.facts.multiple_of = multiple;
    builder.facts.in_channels = builder.facts.out_channels = channels;
    builder.facts.parameters = 2;
    builder.facts.inputs = 3;
    builder.facts.delay_samples = 3;
    const uint32_t ring = builder.ring(channels, 3, 0, 64, plan::samples());
    const uint32_t out = builder.memory(kArena, int64_t{64} * channels);
    const uint32_t values = builder.memory(kArena, 32);
    const uint32_t numbers = builder.constant({0.0f, 0.0f});
    builder.buffers[numbers].type = kFloat64;
    builder.buffers[numbers].elements = 1;
    builder.constants.resize(48);  // as far as whole vectors of it reach
    const int32_t pitch = builder.buffers[ring].pitch;
    const std::vector<Extent> block = {fixed(channels), plan::samples()};
    builder.view(ring, fixed(0), block, {pitch, 1});
    builder.view(values, fixed(0), {fixed(1)}, {1});
    builder.view(values, fixed(16), {fixed(1)}, {1});
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), block, {64, 1}));
    builder.view(numbers, fixed(0), {fixed(1)}, {1});
    builder.view(ring, fixed(-3), block, {pitch, 1});
    builder.view(values, fixed(0), block, {0, 0});
    builder.view(out, fixed(0), block, {64, 1});
    builder.integers = {0, 3, kLoad, 0, 0, 0, 0, kLoad, 1, 1, 0, 0, kMultiply, 2, 0, 1, 0, kStore, 0, 2, 2, 0};
    builder.step(kPointwise, 4, static_cast<uint32_t>(builder.integers.size()));
    return builder;
}

struct Close {
    void operator()(nl_compiled* model) const { nl_compiled_destroy(model); }
};
using Opened = std::unique_ptr<nl_compiled, Close>;

Opened open(const Bytes& bytes) {
    nl_compiled* model = nullptr;
    const nl_result result = nl_compiled_open(bytes.data(), bytes.size(), &model);
    CAPTURE(std::string(nl_compiled_last_error()));
    REQUIRE(result == NL_SUCCESS);
    return Opened(model);
}

Bytes usual(int32_t channels = 2) { return amplifier(GainModel{"[]", "[]", channels}.json(), channels, 1).file(); }

// A host that plays both, and compares.
class Pair {
public:
    Pair(const Bytes& bytes, const nl_compiled_host& host)
        : file_(bytes), session_(engine_.open(file_.path())), model_(open(bytes)), host_(host) {
        nl::Host same;
        same.sample_rate = host.sample_rate;
        same.block_size = host.block_size;
        same.channels = host.channels;
        same.varying_blocks = host.varying_blocks != 0;
        same.mode = NL_INLINE;
        session_.prepare(same);
        const nl_result result = nl_compiled_prepare(model_.get(), &host);
        CAPTURE(std::string(nl_compiled_last_error()));
        REQUIRE(result == NL_SUCCESS);
        CHECK(nl_compiled_output_channels(model_.get()) == session_.output_channels());
    }

    void set(int index, double value) {
        CHECK(session_.set(index, value) == nl_compiled_set_parameter(model_.get(), index, value));
    }

    void reset() {
        session_.reset();
        CHECK(nl_compiled_reset(model_.get()) == NL_SUCCESS);
    }

    // In place, for the model.
    void play(std::vector<std::vector<float>> rows, int samples) {
        std::vector<std::vector<float>> heard(rows.size(), std::vector<float>(rows[0].size(), 9.0f));
        const float* in[2];
        float* outs[2];
        float* same[2];
        for (size_t row = 0; row < rows.size(); ++row)
            in[row] = same[row] = rows[row].data(), outs[row] = heard[row].data();
        REQUIRE(session_.process(in, outs, samples) == NL_SUCCESS);
        REQUIRE(nl_compiled_process(model_.get(), in, same, samples) == NL_SUCCESS);
        for (size_t row = 0; row < static_cast<size_t>(session_.output_channels()); ++row) {
            REQUIRE(std::memcmp(rows[row].data(), heard[row].data(), sizeof(float) * static_cast<size_t>(samples)) ==
                    0);
        }
        REQUIRE(nl_compiled_latency_samples(model_.get()) == session_.latency_samples());
    }

    void compare_counts() {
        const nl_statistics statistics = session_.statistics();
        CHECK(statistics.failed_blocks == 0);
        CHECK(statistics.missing_samples == 0);
        CHECK(nl_compiled_nonfinite_samples(model_.get()) == statistics.nonfinite_samples);
        CHECK(nl_compiled_nonfinite_input_samples(model_.get()) == statistics.nonfinite_input_samples);
    }

private:
    Written file_;
    nl::Engine engine_;
    nl::Session session_;
    Opened model_;
    nl_compiled_host host_;
};

}  // namespace

TEST_CASE("a compiled model behind compiled.h sounds as it does behind engine.h") {
    std::mt19937 random(7);
    const auto below = [&](int count) { return static_cast<int>(random() % static_cast<unsigned>(count)); };
    std::normal_distribution<float> noise;
    uint64_t broken = 0;
    for (int round = 0; round < 60; ++round) {
        GainModel described;
        described.channels = 1 + below(2);
        described.rates = below(2) == 0 ? "[]" : below(2) == 0 ? "[48000]" : "[22050, 44100]";
        described.blocks = below(2) == 0 ? "[]" : "[96, 512]";
        const bool fixed_blocks = described.blocks != "[]";
        nl_compiled_host host = NL_COMPILED_HOST_INIT;
        host.sample_rate = std::vector<int>{44100, 48000, 96000, 32000}[static_cast<size_t>(below(4))];
        host.block_size = 1 + below(below(2) == 0 ? 16 : 700);
        host.channels = 1 + below(2);
        host.varying_blocks = below(3) == 0 ? 1 : 0;
        const bool keeps_promise = below(3) != 0;
        CAPTURE(round);
        Pair pair(amplifier(described.json(), described.channels, fixed_blocks ? 32 : 1).file(), host);
        for (int call = 0; call < 40; ++call) {
            const int samples = host.varying_blocks != 0 || (!keeps_promise && call > 10) ? below(host.block_size + 1)
                                                                                          : host.block_size;
            std::vector<std::vector<float>> rows(2, std::vector<float>(static_cast<size_t>(host.block_size)));
            for (auto& row : rows)
                for (float& value : row) value = noise(random);
            if (below(10) == 0) rows[0][0] = std::numeric_limits<float>::infinity();
            if (below(10) == 0)
                rows[0][static_cast<size_t>(below(host.block_size))] = 3e38f, ++broken;  // Inf once amplified
            if (below(4) == 0) pair.set(0, 4.0 * below(100) / 99.0);
            if (below(40) == 0) pair.set(0, 5.0);
            if (below(40) == 0) pair.reset();
            pair.play(rows, samples);
        }
        pair.compare_counts();
    }
    CHECK(broken > 50);
}

TEST_CASE("its facts and parameters are told") {
    const Opened model = open(usual());
    nl_model_info info = NL_MODEL_INFO_INIT;
    REQUIRE(nl_compiled_get_info(model.get(), &info) == NL_SUCCESS);
    CHECK(std::string(info.name) == "Gain");
    CHECK(info.parameter_count == 2);
    CHECK(std::string(info.metadata) == GainModel{}.json());
    nl_parameter parameter = NL_PARAMETER_INIT;
    REQUIRE(nl_compiled_get_parameter_info(model.get(), 0, &parameter) == NL_SUCCESS);
    CHECK(std::string(parameter.name) == "gain");
    CHECK(parameter.maximum == 4.0);
    REQUIRE(nl_compiled_get_parameter_info(model.get(), 1, &parameter) == NL_SUCCESS);
    CHECK(std::string(parameter.labels[1]) == "down");
    int32_t index = -1;
    CHECK(nl_compiled_find_parameter(model.get(), "way", &index) == NL_SUCCESS);
    CHECK(index == 1);
    double value = 0.0;
    CHECK(nl_compiled_get_parameter(model.get(), 0, &value) == NL_SUCCESS);
    CHECK(value == 1.0);
    CHECK(nl_compiled_memory_bytes(model.get()) == usual().size());
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    REQUIRE(nl_compiled_prepare(model.get(), &host) == NL_SUCCESS);
    CHECK(nl_compiled_memory_bytes(model.get()) > usual().size());
    CHECK(std::string(nl_compiled_kernels(model.get())).size() > 0);
    CHECK(nl_compiled_api() == NL_COMPILED_API);
}

TEST_CASE("bytes that stay are played where they are") {
    const Bytes bytes = usual(1);
    nl_compiled* model = nullptr;
    REQUIRE(nl_compiled_open_in_place(bytes.data(), bytes.size(), &model) == NL_SUCCESS);
    const Opened kept(model);
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    host.channels = 1;
    host.block_size = 4;
    REQUIRE(nl_compiled_prepare(model, &host) == NL_SUCCESS);
    float audio[4] = {1.0f, 2.0f, 3.0f, 4.0f};
    float* rows[] = {audio};
    CHECK(nl_compiled_process(model, rows, rows, 4) == NL_SUCCESS);
    CHECK(audio[2] == 0.0f);
    CHECK(audio[3] == 1.0f);
    CHECK(nl_compiled_open_in_place(bytes.data() + 4, bytes.size() - 4, &model) == NL_BAD_MODEL);
    CHECK(std::string(nl_compiled_last_error()).find("a multiple of 64") != std::string::npos);
}

TEST_CASE("what can't be is refused, and says why") {
    const auto said = [](nl_result result, nl_result expected, const char* words) {
        const std::string told = nl_compiled_last_error();
        CAPTURE(told);
        CHECK(result == expected);
        CHECK(told.find(words) != std::string::npos);
    };
    nl_compiled* none = nullptr;
    const Bytes bytes = usual();
    said(nl_compiled_open(nullptr, 0, &none), NL_WRONG_USE, "bytes must not be NULL");
    said(nl_compiled_open(bytes.data(), bytes.size(), nullptr), NL_WRONG_USE, "model must not be NULL");
    said(nl_compiled_open(bytes.data(), 10, &none), NL_BAD_MODEL, "no compiled model that can be played");
    said(nl_compiled_open(bytes.data(), bytes.size() - 64, &none), NL_BAD_MODEL, "The model is no compiled model");
    CHECK(none == nullptr);
    GainModel foreign;
    foreign.ours = false;
    const Bytes stranger = amplifier(foreign.json(), 2, 1).file();
    said(nl_compiled_open(stranger.data(), stranger.size(), &none), NL_BAD_MODEL, "no section neutone_like");

    const Opened model = open(bytes);
    float audio[8] = {5.0f, 5.0f};
    float* rows[] = {audio, audio + 4};
    CHECK(nl_compiled_process(model.get(), rows, rows, 2) == NL_NOT_PREPARED);
    CHECK(nl_compiled_reset(model.get()) == NL_NOT_PREPARED);
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    const auto refused = [&](int32_t nl_compiled_host::* field, int32_t value, const char* words) {
        nl_compiled_host wrong = NL_COMPILED_HOST_INIT;
        wrong.*field = value;
        said(nl_compiled_prepare(model.get(), &wrong), NL_WRONG_USE, words);
        CHECK(nl_compiled_process(model.get(), rows, rows, 2) == NL_NOT_PREPARED);
    };
    refused(&nl_compiled_host::sample_rate, 999, "sample_rate must lie in 1000..384000, got 999.");
    refused(&nl_compiled_host::block_size, 0, "block_size must lie in 1..1048576, got 0.");
    refused(&nl_compiled_host::channels, -1, "channels must lie in 1..64, got -1.");
    refused(&nl_compiled_host::varying_blocks, 2, "varying_blocks must be 0 or 1, got 2.");
    host.channels = 3;
    said(nl_compiled_prepare(model.get(), &host), NL_FAILED, "the model takes 2, the host has 3");
    host.channels = 2;
    host.size = 4;
    said(nl_compiled_prepare(model.get(), &host), NL_WRONG_USE, "Begin with NL_COMPILED_HOST_INIT");
    said(nl_compiled_prepare(nullptr, &host), NL_WRONG_USE, "model must not be NULL");
    host = NL_COMPILED_HOST_INIT;
    host.block_size = 2;
    REQUIRE(nl_compiled_prepare(model.get(), &host) == NL_SUCCESS);
    CHECK(nl_compiled_process(model.get(), rows, rows, 3) == NL_BLOCK_TOO_LONG);
    CHECK(nl_compiled_process(model.get(), rows, rows, -1) == NL_WRONG_USE);
    CHECK(nl_compiled_process(model.get(), nullptr, rows, 2) == NL_WRONG_USE);
    CHECK(audio[0] == 5.0f);
    CHECK(nl_compiled_process(model.get(), rows, rows, 0) == NL_SUCCESS);
    CHECK(nl_compiled_set_parameter(model.get(), 2, 0.0) == NL_NO_PARAMETER);
    CHECK(nl_compiled_set_parameter(model.get(), 0, std::nan("")) == NL_OUT_OF_RANGE);
    CHECK(nl_compiled_set_parameter(model.get(), 1, 0.5) == NL_OUT_OF_RANGE);
    int32_t index = 0;
    said(nl_compiled_find_parameter(model.get(), "drive", &index), NL_NO_PARAMETER, "it has gain, way.");
}

TEST_CASE("a model whose blocks the plan doesn't take is refused when it is prepared") {
    const Bytes bytes = amplifier(GainModel{"[]", "[100]"}.json(), 2, 32).file();
    const Opened model = open(bytes);
    nl_compiled_host host = NL_COMPILED_HOST_INIT;
    CHECK(nl_compiled_prepare(model.get(), &host) == NL_FAILED);
    CHECK(std::string(nl_compiled_last_error()).find("takes blocks of multiples of 32 from 32 on samples, not 100") !=
          std::string::npos);
}
