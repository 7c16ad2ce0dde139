// How long a call has been going on, less what a busy machine made of it.
#include "engine/call_watch.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "engine/realtime_thread.hpp"

using namespace neutone_like;

namespace {

constexpr uint64_t kMs = 1'000'000;

ThreadTime running(uint64_t ran_ms) { return {true, true, ran_ms * kMs, 0}; }
ThreadTime asleep(uint64_t waited_ms) { return {true, false, 0, waited_ms * kMs}; }

// On one processor together with whoever else stays there.
bool stay_on(int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace

TEST_CASE("a call that sleeps is counted whole, and one that ended not at all") {
    CallWatch watch;
    CHECK(watch.look(1000 * kMs, 900 * kMs, asleep(0)) == 0);  // from the first look on
    CHECK(watch.look(1200 * kMs, 900 * kMs, asleep(0)) == 200 * kMs);
    CHECK(watch.look(1300 * kMs, 900 * kMs, asleep(0)) == 300 * kMs);
    CHECK(watch.look(1400 * kMs, 0, {}) == 0);
    CHECK(watch.look(1500 * kMs, 1450 * kMs, asleep(0)) == 0);  // another call
    CHECK(watch.look(1600 * kMs, 1450 * kMs, asleep(0)) == 100 * kMs);
}

TEST_CASE("what a thread waits for a processor does not count, before it is added up or after") {
    CallWatch watch;
    watch.look(0, 1, running(0));
    CHECK(watch.look(100 * kMs, 1, running(3)) == 3 * kMs);  // runnable, and hardly ever running
    CHECK(watch.look(200 * kMs, 1, running(103)) == 103 * kMs);
    CallWatch other;
    other.look(0, 1, asleep(0));
    CHECK(other.look(100 * kMs, 1, asleep(70)) == 30 * kMs);
    CHECK(other.look(200 * kMs, 1, asleep(1000)) == 30 * kMs);  // what came due only now
}

TEST_CASE("where the system says nothing all of it counts, but for times in which the whole process stood still") {
    CallWatch watch;
    watch.look(0, 1, {});
    CHECK(watch.look(250 * kMs, 1, {}) == 250 * kMs);
    CHECK(watch.look(60'000 * kMs, 1, {}) == 250 * kMs + CallWatch::kMostBetweenNs);
}

TEST_CASE("no thread, and no system that knows it") { CHECK_FALSE(thread_time(0).known); }

TEST_CASE("what the system's files say of a thread, and systems that keep no account of it") {
    const ThreadTime time = thread_time("150574 55332 1\n", "12 (a) S (b)) R 1 12");
    CHECK((time.known && time.runnable));
    CHECK((time.ran_ns == 150574 && time.waited_ns == 55332));
    CHECK_FALSE(thread_time("150574 55332 1\n", "12 (R) S 1 12").runnable);
    CHECK_FALSE(thread_time("150574\n", "12 (a) R 1 12").known);
    CHECK_FALSE(thread_time("150574 55332 1\n", "12 (a").known);
    CallWatch watch;  // of a thread that computes without an end
    const ThreadTime nothing = thread_time("0 0 0\n", "12 (a) R 1 12");
    watch.look(0, 1, nothing);
    CHECK(watch.look(400 * kMs, 1, nothing) == 400 * kMs);
}

TEST_CASE("a thread that another one keeps from its processor is seen to wait; one that sleeps is not") {
    if (!thread_time(this_thread()).known) {
        MESSAGE("the system does not say what its threads wait for: left out");
        return;
    }
    const int processor = sched_getcpu();
    std::atomic<bool> ends{false}, stays{true}, lower{true};
    std::atomic<pid_t> idle{0}, sleeper{0};
    std::thread greedy([&] {
        if (!stay_on(processor)) stays = false;
        while (!ends) {
        }
    });
    std::thread starved([&] {
        sched_param none{};
        if (pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) != 0) lower = false;
        if (!stay_on(processor)) stays = false;
        idle = this_thread();
        while (!ends) {
        }
    });
    std::thread sleeping([&] {
        sleeper = this_thread();
        while (!ends) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
    while (idle == 0 || sleeper == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CallWatch of_starved, of_sleeping;
    const uint64_t start = now_ns();
    uint64_t starved_ns = 0, sleeping_ns = 0;
    // As long as it takes until the sleeper is told from it: by ten times.
    while (now_ns() - start < 60'000 * kMs && (sleeping_ns < 200 * kMs || starved_ns * 10 > sleeping_ns)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        starved_ns = of_starved.spent_ns(start, idle);
        sleeping_ns = of_sleeping.spent_ns(start, sleeper);
    }
    ends = true;
    greedy.join();
    starved.join();
    sleeping.join();
    if (stays && lower) CHECK(starved_ns * 10 <= sleeping_ns);
    CHECK(sleeping_ns >= 200 * kMs);
}
