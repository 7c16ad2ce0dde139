// Compiled models behind backend.h and engine.h: what is played, and what is refused, by name.
#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

#include "engine/compiled_backend.hpp"
#include "gain_model.hpp"
#include "kernels/kernel_ids.hpp"
#include "neutone_like/engine.hpp"
#include "plan_builder.hpp"
#include "written_file.hpp"

using namespace plan;

namespace {

// Its input three samples late, in stereo, with the two parameters of the gain model, which do nothing.
Builder late(int32_t shortest = 1, int32_t multiple = 1, int32_t granule = 64, int32_t delay = 3) {
    Builder builder;
    builder.metadata = GainModel{}.json();
    builder.facts.shortest = shortest;
    builder.facts.multiple_of = multiple;
    builder.facts.granule = granule;
    builder.facts.in_channels = builder.facts.out_channels = 2;
    builder.facts.parameters = 2;
    builder.facts.inputs = 3;
    builder.facts.delay_samples = delay;
    const uint32_t ring = builder.ring(2, delay, 0, granule, plan::samples());
    const uint32_t out = builder.memory(kArena, 2 * granule);
    const uint32_t values = builder.memory(kArena, 16);
    const int32_t pitch = builder.buffers[ring].pitch;
    builder.view(ring, fixed(0), {fixed(2), plan::samples()}, {pitch, 1});
    builder.view(values, fixed(0), {fixed(1)}, {1});
    builder.view(values, fixed(1), {fixed(1)}, {1});
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), {fixed(2), plan::samples()}, {granule, 1}));
    builder.view(ring, fixed(-delay), {fixed(2), plan::samples()}, {pitch, 1});
    builder.step(kCopy, 2);
    return builder;
}

std::vector<float> play(nl::Session& session, int samples, float first) {
    std::vector<float> in(static_cast<size_t>(samples));
    std::vector<float> left(in.size());
    std::vector<float> right(in.size());
    for (size_t i = 0; i < in.size(); ++i) in[i] = first + static_cast<float>(i);
    const float* ins[] = {in.data(), in.data()};
    float* outs[] = {left.data(), right.data()};
    REQUIRE(session.process(ins, outs, samples) == NL_SUCCESS);
    CHECK(left == right);
    return left;
}

struct Refusal {
    std::array<char, 512> text{};
    nl_error error{text.data(), text.size()};
    bool says(const char* words) const { return std::string(text.data()).find(words) != std::string::npos; }
};

struct Opened {
    void* instance = nullptr;
    explicit Opened(const Builder& builder) {
        const Written file(builder.file());
        Refusal refusal;
        REQUIRE(compiled_backend()->create(file.path(), "", &instance, refusal.error) == NL_OK);
    }
    ~Opened() { compiled_backend()->destroy(instance); }
    Opened(const Opened&) = delete;
    Opened& operator=(const Opened&) = delete;

    std::string refusal_of(const nl_setup& setup) const {
        Refusal refusal;
        nl_facts facts{};
        const nl_status status = compiled_backend()->prepare(instance, &setup, &facts, refusal.error);
        if (status == NL_OK) CHECK(facts.delay_samples == 3);
        return status == NL_OK ? "" : refusal.text.data();
    }

    static const nl_backend* compiled_backend() { return neutone_like::compiled_backend(); }
};

nl_setup setup(int block, bool fixed_block) { return {48000, block, fixed_block ? 1 : 0, 2, 2, 0, 2, nullptr}; }

}  // namespace

TEST_CASE("a host plays a compiled model without any backend beside the library") {
    const Written file(late().file());
    nl::Engine engine;
    nl::Session session = engine.open(file.path());
    CHECK(session.info().metadata == GainModel{}.json());
    nl::Host host;
    host.block_size = 100;
    host.mode = NL_INLINE;
    session.prepare(host);
    CHECK(session.latency_samples() == 3);
    session.set("gain", 2.5);
    std::vector<float> heard;
    for (int block = 0; block < 5; ++block) {
        const std::vector<float> part = play(session, 100, 1.0f + 100.0f * static_cast<float>(block));
        heard.insert(heard.end(), part.begin(), part.end());
    }
    for (int i = 0; i < 500; ++i) CHECK(heard[static_cast<size_t>(i)] == (i < 3 ? 0.0f : static_cast<float>(i - 2)));
    CHECK(session.statistics().failed_blocks == 0);
    session.prepare(host);  // a copy of what was loaded, as it was
    CHECK(play(session, 100, 1.0f)[0] == 0.0f);
}

TEST_CASE("of plans for several rates the one for the host's is played, or the next that there is") {
    Builder first = late();
    first.metadata = GainModel{"[48000, 96000]"}.json();
    const Written file(first.file_for_rates({late(1, 1, 64, 5)}, {48000, 96000}));
    nl::Engine engine;
    nl::Session session = engine.open(file.path());
    nl::Host host;
    host.block_size = 100;
    host.mode = NL_INLINE;
    for (const auto& [rate, late] : {std::pair{48000, 3}, {96000, 5}, {48000, 3}}) {
        host.sample_rate = rate;
        session.prepare(host);
        CHECK(session.latency_samples() == late);
        const std::vector<float> heard = play(session, 100, 1.0f);
        for (int i = 0; i < 100; ++i) {
            CHECK(heard[static_cast<size_t>(i)] == (i < late ? 0.0f : static_cast<float>(i + 1 - late)));
        }
    }
    host.sample_rate = 88200;  // resampled to 96 kHz
    session.prepare(host);
    CHECK(session.latency_samples() > 5);
}

TEST_CASE("a rate without a plan is refused by name") {
    const Written file(late().file_for_rates({late(1, 1, 64, 5)}, {48000, 96000}));
    Refusal refusal;
    void* instance = nullptr;
    REQUIRE(neutone_like::compiled_backend()->create(file.path(), "", &instance, refusal.error) == NL_OK);
    nl_setup at = setup(64, false);
    at.sample_rate = 44100;
    nl_facts facts{};
    CHECK(neutone_like::compiled_backend()->prepare(instance, &at, &facts, refusal.error) == NL_ERROR);
    CHECK(refusal.says("no plan for 44100 Hz"));
    neutone_like::compiled_backend()->destroy(instance);
}

TEST_CASE("what is no compiled model is refused when it is opened") {
    nl_engine* engine = nullptr;
    nl_session* session = nullptr;
    REQUIRE(nl_engine_create(nullptr, &engine) == NL_SUCCESS);
    const auto refused = [&](const char* path, const char* words) {
        CHECK(nl_session_open(engine, path, nullptr, &session) == NL_BAD_MODEL);
        const std::string told = nl_last_error();
        CAPTURE(told);
        CHECK(told.find(words) != std::string::npos);
    };
    refused("/nowhere/model.nlc", "/nowhere/model.nlc can't be read: No such file");
    refused("/", "can't be read: ");
    Bytes damaged = late().file();
    damaged.data()[200] ^= 1;
    refused(Written(damaged).path(), "checksum does not fit what it holds. Copy it again");
    damaged.data()[0] = 'P';
    refused(Written(damaged).path(), "does not begin as a compiled model does. Expected a model.nlc.");
    Builder foreign = late();
    GainModel model;
    model.ours = false;
    foreign.metadata = model.json();
    refused(Written(foreign.file()).path(), "takes no option but kernels=NAME");
    nl_engine_destroy(engine);
}

TEST_CASE("the metadata is told in as much room as there is") {
    const Written file(late().file());
    Refusal refusal;
    size_t length = 0;
    REQUIRE(neutone_like::compiled_metadata(file.path(), nullptr, 0, &length, refusal.error) == NL_OK);
    CHECK(length == GainModel{}.json().size());
    std::string text(10, '-');
    REQUIRE(neutone_like::compiled_metadata(file.path(), text.data(), 5, &length, refusal.error) == NL_OK);
    CHECK(text == GainModel{}.json().substr(0, 5) + "-----");
}

TEST_CASE("an instance is prepared for what its plan takes") {
    const Opened any(late());
    CHECK(any.refusal_of(setup(1, false)).empty());
    CHECK(any.refusal_of(setup(10000, false)).empty());
    CHECK(any.refusal_of(setup(10000, true)).empty());
    nl_setup wrong = setup(64, false);
    wrong.in_channels = 1;
    CHECK(any.refusal_of(wrong) == "in_channels: the compiled model has 2, it is prepared for 1.");
    wrong = setup(64, false);
    wrong.parameter_count = 3;
    CHECK(any.refusal_of(wrong) == "parameter_count: the compiled model has 2, it is prepared for 3.");
    wrong = setup(64, false);
    wrong.look_behind = 7;
    CHECK(any.refusal_of(wrong) == "look_behind: the compiled model has 0, it is prepared for 7.");

    const Opened fours(late(8, 4, 64));
    CHECK(fours.refusal_of(setup(68, true)).empty());
    CHECK(fours.refusal_of(setup(66, true)) ==
          "longest_block: the compiled model takes blocks of multiples of 4 from 8 on samples, not 66.");
    CHECK(fours.refusal_of(setup(64, false)) ==
          "longest_block: the compiled model takes blocks of multiples of 4 from 8 on samples, not any up to 64.");
    CHECK(Opened(late(1, 0, 1)).refusal_of(setup(64, false)).empty());
    const Opened one(late(64, 0, 64));
    CHECK(one.refusal_of(setup(128, true)).empty());
    CHECK(one.refusal_of(setup(100, true)) ==
          "longest_block: the compiled model takes blocks of multiples of 64 samples, not 100.");
}

TEST_CASE("a block that the plan doesn't take fails, and a copy goes on from where its model is") {
    const nl_backend* backend = neutone_like::compiled_backend();
    const Opened fours(late(4, 4, 64));
    std::vector<float> in(12, 1.0f);
    std::vector<float> out(12);
    const float value = 0.0f;
    const float* const values[] = {&value, &value};
    const int32_t lengths[] = {1, 1};
    nl_block block{6, in.data(), out.data(), values, lengths, nullptr, nullptr};
    Refusal refusal;
    CHECK(backend->process(fours.instance, &block, refusal.error) == NL_ERROR);
    CHECK(refusal.says("takes no block of 6 samples"));
    block.samples = 4;
    REQUIRE(backend->process(fours.instance, &block, refusal.error) == NL_OK);
    CHECK(out[3] == 1.0f);
    void* copy = nullptr;
    REQUIRE(backend->clone(fours.instance, &copy, refusal.error) == NL_OK);
    REQUIRE(backend->process(copy, &block, refusal.error) == NL_OK);
    CHECK(out[0] == 1.0f);
    REQUIRE(backend->reset(copy, refusal.error) == NL_OK);
    REQUIRE(backend->process(copy, &block, refusal.error) == NL_OK);
    CHECK(out[0] == 0.0f);
    REQUIRE(backend->process(fours.instance, &block, refusal.error) == NL_OK);
    CHECK(out[0] == 1.0f);
    backend->destroy(copy);
}

TEST_CASE("kernels are chosen by name") {
    const Written file(late().file());
    Refusal refusal;
    void* instance = nullptr;
    CHECK(neutone_like::compiled_backend()->create(file.path(), "kernels=abacus\n", &instance, refusal.error) ==
          NL_ERROR);
    CHECK(refusal.says("no kernels 'abacus'"));
    CHECK(neutone_like::compiled_backend()->create(file.path(), "part=wrapper\n", &instance, refusal.error) ==
          NL_ERROR);
    CHECK(refusal.says("Only models that neutone_like has exported can be compiled"));
}
