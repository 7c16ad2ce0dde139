// What is known of one marked thread. All of it is static memory, touched before the thread's first section.
#pragma once

#include <cstdint>

#include "counters.hpp"

namespace neutone_like::realtime_safety {

inline constexpr int deepest_stack = 48;
inline constexpr int most_threads = 64;
inline constexpr int syscall_numbers = 512;  // the last stands for all from there on

struct Stack {
    int depth;
    void* exact;  // the one address that is not a return address, or null
    void* addresses[deepest_stack];
};

struct Tally {
    uint64_t count;
    uint64_t sections;  // in how many it happened
    uint64_t most_in_section;
    uint64_t in_this_section;
    int64_t first_section;  // from 1; 0: never
    Stack first;
};

// From getrusage, of one thread.
struct Usage {
    long minor;
    long major;
    long switches;
};

struct ThreadState {
    bool in_use;
    bool probe;  // a thread of the self-test, which is not part of the result
    int thread_id;
    volatile int depth;
    volatile int64_t sections;
    volatile bool counting;
    volatile char selector;  // the kernel reads it at every system call of the thread
    bool syscalls_are_seen;
    int fault_events;  // a perf event's file, or -1
    bool faults_are_watched;
    Usage at_enter;
    Usage seen;  // the last look, to tell which counter a fault belongs to
    Usage own;   // what taking a stack cost, in this section
    Tally tallies[counter_count];
    uint64_t syscalls[syscall_numbers];
    int64_t longest_wait_ns;  // that a bounded wait asked for
    uint64_t warm_up_minor;
    uint64_t warm_up_major;
    alignas(64) char alternate_stack[128 * 1024];
};

extern ThreadState states[most_threads];
extern thread_local ThreadState* this_thread_state;
extern int64_t warm_up_sections;
extern bool too_many_threads;

// The calling thread's state, made at its first call; null where there are too many.
ThreadState* registered_thread();

Usage usage_now();

// Nothing is counted while it lives.
class Pause {
public:
    explicit Pause(ThreadState& state);
    ~Pause();
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

private:
    ThreadState& state_;
    bool counting_;
    char selector_;
};

// One more of `counter` on a thread that is counting; keeps the stack of the first.
void count(ThreadState& state, Counter counter, void* exact = nullptr);

// The stack for a counter whose number comes from getrusage when the section ends.
void keep_first_stack(ThreadState& state, Counter counter, void* exact);

inline void count(Counter counter) {
    ThreadState* state = this_thread_state;
    if (state != nullptr && state->counting) count(*state, counter);
}

inline Tally& tally(ThreadState& state, Counter counter) { return state.tallies[static_cast<int>(counter)]; }

// sections.cpp
void enter(ThreadState& state);
void leave(ThreadState& state);

void take_stack(Stack& stack, void* exact);

// next_function.cpp: whether the C library has the function of that name (older ones lack some)
bool is_there(Counter counter);
// syscall_dispatch.cpp
bool see_syscalls(ThreadState& state);
// fault_events.cpp
void open_fault_events(ThreadState& state);
void watch_faults(ThreadState& state);
void unwatch_faults(ThreadState& state);

}  // namespace neutone_like::realtime_safety
