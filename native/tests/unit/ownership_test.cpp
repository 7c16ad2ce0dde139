// Who owns a session, asked by a thread that has just left it while another takes it.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "engine/shared.hpp"

using namespace neutone_like;

namespace {

// What one thread saw that it never should have.
struct Seen {
    int mistaken = 0;  // named as the owner, without having taken it
    int forgotten = 0;
    int together = 0;
};

}  // namespace

TEST_CASE("a thread that asks for control is let in, however little time there is between two blocks") {
    Ownership ownership;
    REQUIRE(ownership.take(Ownership::kAudio) == Ownership::kFree);
    ownership.ask();
    CHECK(ownership.take(Ownership::kControl) == Ownership::kAudio);
    CHECK(ownership.take(Ownership::kAudio) == Ownership::kAudio);  // a second audio thread is told so all the same
    ownership.leave();
    CHECK(ownership.take(Ownership::kAudio) == Ownership::kControl);
    REQUIRE(ownership.take(Ownership::kControl) == Ownership::kFree);
    ownership.ask_no_more();
    CHECK(ownership.take(Ownership::kAudio) == Ownership::kControl);
    ownership.leave();
    CHECK(ownership.take(Ownership::kAudio) == Ownership::kFree);
}

TEST_CASE("a thread that left is never taken for the owner after it") {
    constexpr int kTurns = 3000000;
    Ownership ownership;
    std::atomic<int> inside{0};
    const auto turn = [&](Ownership::Owner owner, Seen& seen) {
        seen.mistaken += ownership.is_this_threads();
        if (ownership.take(owner) != Ownership::kFree) return;
        seen.forgotten += !ownership.is_this_threads() || ownership.is_free();
        seen.together += inside.fetch_add(1) != 0;
        inside.fetch_sub(1);
        ownership.leave();
    };
    Seen audio_saw;
    std::atomic<bool> begun{false};
    std::atomic<bool> ends{false};
    std::thread audio([&] {
        for (begun = true; !ends;) turn(Ownership::kAudio, audio_saw);
    });
    while (!begun) std::this_thread::yield();
    Seen control_saw;
    for (int i = 0; i < kTurns; ++i) turn(Ownership::kControl, control_saw);
    ends = true;
    audio.join();
    for (const Seen& seen : {audio_saw, control_saw}) {
        CHECK(seen.mistaken == 0);
        CHECK(seen.forgotten == 0);
        CHECK(seen.together == 0);
    }
    CHECK(ownership.is_free());
}
