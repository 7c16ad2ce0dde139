// The rings against plain memory, and between two threads.
#include <doctest/doctest.h>

#include <random>
#include <thread>
#include <vector>

#include "signal/ring.hpp"

using namespace neutone_like;

TEST_CASE("audio is found again by its position, however it was written") {
    constexpr int64_t kAll = 5000;
    AudioRing ring;
    ring.prepare(2, 100);
    CHECK(ring.capacity() == 128);
    std::mt19937 random(3);
    std::vector<std::vector<float>> truth(2, std::vector<float>(kAll));
    for (auto& row : truth) {
        for (float& sample : row) sample = std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
    }
    std::vector<float> left(128);
    std::vector<float> right(128);
    for (int64_t written = 0, read = 0; written < kAll;) {
        const int64_t room = std::min(kAll - written, ring.capacity() - (written - read));
        const int64_t writes = std::uniform_int_distribution<int64_t>(0, room)(random);
        const float* source[] = {truth[0].data(), truth[1].data()};
        ring.write(written, source, written, writes);
        written += writes;
        const int64_t reads = std::uniform_int_distribution<int64_t>(0, written - read)(random);
        float* target[] = {left.data(), right.data()};
        ring.read(read, target, 0, reads);
        for (int64_t i = 0; i < reads; ++i) {
            REQUIRE(left[i] == truth[0][read + i]);
            REQUIRE(right[i] == truth[1][read + i]);
        }
        read += reads;
    }
}

TEST_CASE("silence goes around the end") {
    AudioRing ring;
    ring.prepare(1, 8);
    const std::vector<float> ones(8, 1.0f);
    const float* source[] = {ones.data()};
    ring.write(0, source, 0, 8);
    ring.write_silence(6, 4);
    std::vector<float> out(8);
    float* target[] = {out.data()};
    ring.read(8, target, 0, 8);
    CHECK(out == std::vector<float>{0.0f, 0.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.0f, 0.0f});
}

TEST_CASE("packets between two threads keep their order and their values") {
    constexpr int kPackets = 20000;
    PacketRing ring;
    ring.prepare(16, 2);
    std::thread producer([&] {
        for (int sent = 0; sent < kPackets;) {
            if (!ring.has_room()) {
                std::this_thread::yield();
                continue;
            }
            ring.next_values()[0] = static_cast<float>(sent);
            ring.next_values()[1] = static_cast<float>(-sent);
            ring.push(Packet{sent, static_cast<uint64_t>(sent)}, static_cast<uint64_t>(sent) + 1);
            ++sent;
        }
    });
    int wrong = 0;
    for (int taken = 0; taken < kPackets;) {
        if (ring.empty()) {
            std::this_thread::yield();
            continue;
        }
        wrong += ring.front().samples != taken || ring.front_values()[0] != static_cast<float>(taken) ||
                 ring.front_values()[1] != static_cast<float>(-taken) ||
                 ring.front_deadline() != static_cast<uint64_t>(taken) + 1;
        ring.pop();
        ++taken;
    }
    producer.join();
    CHECK(wrong == 0);
    CHECK(ring.empty());
}

TEST_CASE("a full ring says so") {
    PacketRing ring;
    ring.prepare(4, 0);
    int held = 0;
    while (ring.has_room()) {
        ring.push(Packet{held, 0}, 0);
        ++held;
    }
    CHECK(held == 4);
    CHECK(ring.front().samples == 0);
    ring.pop();
    CHECK(ring.has_room());
}
