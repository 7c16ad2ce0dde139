// How plans are played: rings, states, blocks of every length, instances beside each other.
#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <vector>

#include "kernels/player.hpp"
#include "kernels/reader.hpp"
#include "plan_builder.hpp"
#include "plan_kernels.hpp"

using namespace plan;

namespace {

using Rows = std::vector<std::vector<float>>;

template <typename Row>
auto pointers(Row& rows) {
    std::vector<decltype(rows[0].data())> found;
    for (auto& row : rows) found.push_back(row.data());
    return found;
}

struct Player {
    Bytes bytes;
    Image image;
    std::unique_ptr<Bytes> memory;
    Instance* instance = nullptr;

    explicit Player(const Builder& builder) : bytes(builder.file()) {
        Problem problem;
        const bool good = read_image(bytes.data(), bytes.size(), simple_kernels(), image, problem);
        CAPTURE(problem.text);
        REQUIRE(good);
        memory = std::make_unique<Bytes>(instance_bytes(image));
        std::memset(memory->data(), 0xA5, memory->size());
        instance = start(image, memory->data());
    }

    // `audio` with its look-behind. One row of values for each parameter.
    Rows play(const Rows& audio, int64_t samples, const Rows& values = {}) {
        Rows out(static_cast<size_t>(image.facts->out_channels), std::vector<float>(static_cast<size_t>(samples)));
        const auto in_rows = pointers(audio);
        const auto out_rows = pointers(out);
        const auto value_rows = pointers(values);
        std::vector<int32_t> lengths;
        for (const auto& row : values) lengths.push_back(static_cast<int32_t>(row.size()));
        REQUIRE(process(*instance, {samples, in_rows.data(), out_rows.data(), value_rows.data(), lengths.data()}));
        return out;
    }

    // A signal in calls of these lengths, over and over.
    Rows play_in(const Rows& audio, const std::vector<int>& lengths) {
        Rows out(static_cast<size_t>(image.facts->out_channels));
        const auto total = static_cast<int64_t>(audio[0].size());
        for (int64_t from = 0, call = 0; from < total; ++call) {
            const int64_t samples =
                std::min<int64_t>(lengths[static_cast<size_t>(call) % lengths.size()], total - from);
            Rows block;
            for (const auto& row : audio) block.emplace_back(row.begin() + from, row.begin() + from + samples);
            const Rows part = play(block, samples);
            for (size_t row = 0; row < out.size(); ++row) {
                out[row].insert(out[row].end(), part[row].begin(), part[row].end());
            }
            from += samples;
        }
        return out;
    }
};

Rows noise(size_t rows, size_t samples, unsigned seed = 1) {
    std::mt19937 random(seed);
    Rows audio(rows, std::vector<float>(samples));
    for (auto& row : audio) {
        for (float& sample : row) sample = static_cast<float>(static_cast<int>(random() % 2001) - 1000);
    }
    return audio;
}

// y[n] = x[n] + x[n - delay], written for what it is.
Rows echoed(const Rows& audio, int delay, float before = 0.0f) {
    Rows out = audio;
    for (auto& row : out) {
        for (size_t n = row.size(); n-- > 0;) {
            row[n] += n >= static_cast<size_t>(delay) ? row[n - static_cast<size_t>(delay)] : before;
        }
    }
    return out;
}

// The audio goes into the ring, and both views are read from it.
Builder echo(int32_t delay, int32_t length, int32_t granule, int32_t rows = 2) {
    Builder builder;
    builder.facts.granule = granule;
    builder.facts.in_channels = builder.facts.out_channels = rows;
    const uint32_t ring = builder.ring(rows, delay, length, granule, samples());
    const uint32_t out = builder.memory(kArena, int64_t{rows} * granule);
    const int32_t pitch = builder.buffers[ring].pitch;
    builder.view(ring, fixed(0), {fixed(rows), samples()}, {pitch, 1});
    builder.facts.output = static_cast<int32_t>(builder.view(out, fixed(0), {fixed(rows), samples()}, {granule, 1}));
    builder.view(ring, fixed(0), {fixed(rows), samples()}, {pitch, 1});
    builder.view(ring, fixed(-delay), {fixed(rows), samples()}, {pitch, 1});
    builder.step(kAddition, 3);
    return builder;
}

// y[n] = x[n] + y of the block before, at its end: a state that the last step writes.
Builder carry() {
    Builder builder;
    const uint32_t state = builder.memory(kState, 1, kFloat64);
    const uint32_t in = builder.memory(kArena, 64);
    const uint32_t out = builder.memory(kArena, 64);
    builder.view(in, fixed(0), {samples()}, {1});
    builder.views[0] = {in, 2, 0, fixed(0), {fixed(1), samples()}, {64, 1}};
    builder.view(out, fixed(0), {fixed(1), samples()}, {64, 1});
    builder.facts.output = 1;
    builder.view(in, fixed(0), {fixed(1), samples()}, {64, 1});
    builder.view(state, fixed(0), {fixed(1), samples()}, {0, 0});
    builder.step(kAddition, 3);
    builder.view(state, fixed(0), {fixed(1)}, {1});
    builder.view(out, samples(-1), {fixed(1)}, {1});
    builder.step(kCopy, 2);
    return builder;
}

}  // namespace

TEST_CASE("a ring holds the past, however it goes round and however long the blocks are") {
    std::mt19937 random(3);
    for (int trial = 0; trial < 200; ++trial) {
        const int delay = 1 + static_cast<int>(random() % 70);
        const int granule = 1 + static_cast<int>(random() % 40);
        const int least = std::max(delay, granule);
        const int length = trial % 3 == 0 ? 0 : trial % 3 == 1 ? least : least + static_cast<int>(random() % 200);
        std::vector<int> lengths;
        for (int call = 0; call < 5; ++call) lengths.push_back(1 + static_cast<int>(random() % 100));
        CAPTURE(delay);
        CAPTURE(granule);
        CAPTURE(length);
        Player player(echo(delay, length, granule));
        const Rows audio = noise(2, 1500, random());
        REQUIRE(player.play_in(audio, lengths) == echoed(audio, delay));
    }
}

TEST_CASE("a ring begins with what its file says, and again after a reset") {
    for (const int length : {0, 80}) {
        Builder builder = echo(3, length, 16, 1);
        builder.constant({7.0f, 7.0f, 7.0f});
        builder.buffers[0].initial = 0;
        Player player(builder);
        const Rows audio = noise(1, 200);
        const Rows first = player.play_in(audio, {5});
        CHECK(first == echoed(audio, 3, 7.0f));
        CHECK(player.play_in(audio, {5}) != first);
        reset(*player.instance);
        CHECK(player.play_in(audio, {16}) == first);
    }
}

TEST_CASE("a state goes from one block to the next") {
    Builder builder = carry();
    Player player(builder);
    CHECK(player.play({{1, 2, 3}}, 3) == Rows{{1, 2, 3}});
    CHECK(player.play({{1, 2}}, 2) == Rows{{4, 5}});
    CHECK(player.play({{0}}, 1) == Rows{{5}});
    reset(*player.instance);
    CHECK(player.play({{1}}, 1) == Rows{{1}});
    CHECK(player.play({{0, 0}}, 2) == Rows{{1, 1}});
}

TEST_CASE("a copy goes on from where the other one is, and by itself") {
    Player one(echo(20, 60, 16));
    Player other(echo(20, 60, 16));
    const Rows audio = noise(2, 100);
    one.play_in(audio, {7});
    copy_state(*other.instance, *one.instance);
    const Rows more = noise(2, 100, 2);
    const Rows expected = one.play_in(more, {16});
    CHECK(other.play_in(more, {5, 3}) == expected);
    CHECK(one.play_in(more, {16}) == other.play_in(more, {9}));
}

TEST_CASE("past samples come before each block, and each piece of it") {
    // y[n] = x[n] + x[n - 2], the past from the host.
    Builder builder;
    builder.facts.granule = 8;
    builder.facts.look_behind = 2;
    const uint32_t in = builder.memory(kArena, 16);
    const uint32_t out = builder.memory(kArena, 16);
    builder.view(in, fixed(0), {fixed(1), samples()}, {16, 1});
    builder.view(out, fixed(0), {fixed(1), samples(-2)}, {16, 1});
    builder.facts.output = 1;
    builder.view(in, fixed(2), {fixed(1), samples(-2)}, {16, 1});
    builder.view(in, fixed(0), {fixed(1), samples(-2)}, {16, 1});
    builder.step(kAddition, 3);
    Player player(builder);
    for (const size_t samples : {1, 8, 9, 30}) {
        const Rows audio = noise(1, samples + 2);
        Rows expected = echoed(audio, 2);
        expected[0].erase(expected[0].begin(), expected[0].begin() + 2);
        CHECK(player.play(audio, static_cast<int64_t>(samples)) == expected);
    }
}

TEST_CASE("a parameter is one value or one for each sample, whatever the plan wants") {
    for (const bool wants_all : {false, true}) {
        Builder builder;
        builder.facts.granule = 4;
        builder.facts.parameters = 1;
        builder.facts.inputs = 2;
        const uint32_t in = builder.memory(kArena, 16);
        const uint32_t parameter = builder.memory(kArena, 16);
        builder.view(in, fixed(0), {fixed(1), samples()}, {16, 1});
        builder.view(parameter, fixed(0), {wants_all ? samples() : fixed(1)}, {1});
        builder.view(in, fixed(0), {fixed(1), samples()}, {16, 1});
        builder.facts.output = 2;
        builder.view(in, fixed(0), {fixed(1), samples()}, {16, 1});
        builder.view(parameter, fixed(0), {fixed(1), samples()}, {0, wants_all ? 1 : 0});
        builder.step(kAddition, 3);
        Player player(builder);
        const Rows silence{std::vector<float>(6)};
        CHECK(player.play(silence, 6, {{9}}) == Rows{{9, 9, 9, 9, 9, 9}});
        const Rows each = player.play(silence, 6, {{1, 2, 3, 4, 5, 6}});
        CHECK(each == (wants_all ? Rows{{1, 2, 3, 4, 5, 6}} : Rows{{1, 1, 1, 1, 5, 5}}));
        CHECK(player.play({{0}}, 1, {{3}}) == Rows{{3}});
    }
}

TEST_CASE("blocks are cut as the plan takes them, or not at all") {
    const auto taken = [](int shortest, int multiple, int granule) {
        Builder builder = echo(3, 0, granule);
        builder.facts.shortest = shortest;
        builder.facts.multiple_of = multiple;
        Player player(builder);
        std::vector<int> found;
        for (int n = 0; n < 60; ++n) {
            if (!takes(player.image, n)) continue;
            found.push_back(n);
            reset(*player.instance);
            const Rows audio = noise(2, static_cast<size_t>(n));
            CHECK(player.play(audio, n) == echoed(audio, 3));
        }
        const Passage nothing{0, nullptr, nullptr, nullptr, nullptr};
        CHECK(process(*player.instance, nothing));
        return found;
    };
    // By brute force: which sums of lengths there are.
    const auto expected = [](int shortest, int multiple, int granule) {
        std::vector<bool> sums(60);
        sums[0] = true;
        std::vector<int> found;
        for (int n = 1; n < 60; ++n) {
            for (int length = shortest; length <= granule && length <= n; length += std::max(multiple, 1)) {
                if (sums[static_cast<size_t>(n - length)]) sums[static_cast<size_t>(n)] = true;
                if (multiple == 0) break;
            }
            if (sums[static_cast<size_t>(n)]) found.push_back(n);
        }
        return found;
    };
    for (const auto& [shortest, multiple, granule] :
         {std::tuple{1, 1, 16}, {4, 4, 16}, {16, 16, 16}, {16, 0, 16}, {8, 4, 12}, {12, 4, 20}, {5, 1, 7}}) {
        CAPTURE(shortest);
        CAPTURE(granule);
        CHECK(taken(shortest, multiple, granule) == expected(shortest, multiple, granule));
    }
}
