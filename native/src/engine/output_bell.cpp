#include "engine/output_bell.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace neutone_like {

namespace {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);

// False once the deadline has passed. FUTEX_WAIT_BITSET takes a point in time, and so does not drift when interrupted.
bool sleep_while(const std::atomic<uint32_t>& word, uint32_t value, uint64_t deadline_ns) noexcept {
    const timespec deadline{static_cast<time_t>(deadline_ns / 1'000'000'000u),
                            static_cast<long>(deadline_ns % 1'000'000'000u)};
    const long result =
        syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, value, &deadline, nullptr, FUTEX_BITSET_MATCH_ANY);
    return result == 0 || errno == EAGAIN || errno == EINTR;
}

}  // namespace

// Who waits says so before it looks a last time, and who publishes looks for it afterwards, so that one of the two always
// sees the other.
void OutputBell::wait(const std::atomic<int64_t>& published, int64_t wanted, uint64_t deadline_ns) noexcept {
    wanted_.store(wanted);
    for (bool time_left = true; time_left;) {
        const uint32_t before = rung_.load();
        if (published.load() >= wanted) break;
        time_left = sleep_while(rung_, before, deadline_ns);
    }
    wanted_.store(kNobody);
}

// One wake-up a wait, however many workers publish.
void OutputBell::wake(int64_t published) noexcept {
    int64_t wanted = wanted_.load();
    if (published < wanted || !wanted_.compare_exchange_strong(wanted, kNobody)) return;
    rung_.fetch_add(1);
    syscall(SYS_futex, &rung_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
}

}  // namespace neutone_like
