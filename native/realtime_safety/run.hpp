// A run: the self-test, then sections until it finishes, crashes or stands still; then the report.
#pragma once

#include "thread_state.hpp"

namespace neutone_like::realtime_safety {

struct Ending {
    const char* kind;  // "finished", "crashed", "stalled" or "exited"
    int number;        // the signal, or the exit code
    int64_t section;   // in which it happened; 0: in none
    Stack stack;
};

struct SelfTestResult {
    const char* counter;
    bool moved;
    bool has_stack;
};

inline constexpr int most_controls = 256;
extern SelfTestResult self_test_results[most_controls];
extern int self_test_count;
extern bool self_test_was_silent;  // nothing moved where nothing was done, or was done outside a section

// Ends the run where the calling thread is, in or out of a section; the first to do so writes the report.
// `context` is what a signal handler was given.
void end_run(const char* kind, int number, void* context);

// Writes JSON to `file` without allocating, so that a crashed process can do it too.
void write_report(int file, const Ending& ending);

}  // namespace neutone_like::realtime_safety
