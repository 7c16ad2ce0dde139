// How long a call into a model has been going on, for whoever would give the model up. A machine that is busy lets threads
// wait for a processor, for seconds where it gives them little; that is no fault of the model's, and does not count.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace neutone_like {

// What the system says of a thread.
struct ThreadTime {
    bool known = false;     // false: nobody says, and its waiting counts
    bool runnable = false;  // it runs, or would if it had a processor
    uint64_t ran_ns = 0;
    uint64_t waited_ns = 0;  // for a processor
};

pid_t this_thread() noexcept;                                              // the calling one; a system call
ThreadTime thread_time(pid_t thread) noexcept;                             // not real time: reads the system's files
ThreadTime thread_time(const char* schedstat, const char* stat) noexcept;  // of what those files hold

class CallWatch {
public:
    // How long `thread` has been inside the call that it began at `since_ns`, as far as it had a processor or slept. 0:
    // in none. Not real time; asked again and again, and from the second time on of the same call it counts.
    uint64_t spent_ns(uint64_t since_ns, pid_t thread) noexcept;

    // The same, of what is known.
    uint64_t look(uint64_t now_ns, uint64_t since_ns, const ThreadTime& time) noexcept;

    // Between two looks no more than this counts: where it was longer, the whole process stood still.
    static constexpr uint64_t kMostBetweenNs = 500'000'000;

private:
    uint64_t since_ns_ = 0;
    uint64_t last_ns_ = 0;
    uint64_t spent_ns_ = 0;
    ThreadTime before_;
};

}  // namespace neutone_like
