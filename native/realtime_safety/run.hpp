// A run: the self-test, then sections until it finishes, crashes or stands still; then the report.
#pragma once

#include "thread_state.hpp"

namespace neutone_like::realtime_safety {

struct Ending {
    const char* kind;  // "finished", "crashed" or "stalled"
    int signal;
    int64_t section;  // in which it happened; 0: in none
    Stack stack;
};

struct SelfTestResult {
    const char* counter;
    bool moved;
    bool has_stack;
};

inline constexpr int most_controls = 64;
extern SelfTestResult self_test_results[most_controls];
extern int self_test_count;
extern bool self_test_was_silent;  // nothing moved where nothing was done, or was done outside a section

// Writes JSON to `file` without allocating, so that a crashed process can do it too.
void write_report(int file, const Ending& ending);

}  // namespace neutone_like::realtime_safety
