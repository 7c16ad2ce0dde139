// The two marks, and what the kernel counted between them.
#include <linux/prctl.h>

#include "thread_state.hpp"

namespace neutone_like::realtime_safety {
namespace {

void add(ThreadState& state, Counter counter, long number) {
    if (number <= 0) return;
    Tally& counted = tally(state, counter);
    counted.count += static_cast<uint64_t>(number);
    counted.in_this_section = static_cast<uint64_t>(number);
    if (counted.first_section == 0) counted.first_section = state.sections;
}

void add_usage(ThreadState& state, const Usage& now) {
    const long minor = now.minor - state.at_enter.minor - state.own.minor;
    const long major = now.major - state.at_enter.major - state.own.major;
    if (state.sections > warm_up_sections) {
        add(state, Counter::minor_page_faults, minor);
        add(state, Counter::major_page_faults, major);
    } else {
        state.warm_up_minor += static_cast<uint64_t>(minor > 0 ? minor : 0);
        state.warm_up_major += static_cast<uint64_t>(major > 0 ? major : 0);
    }
    add(state, Counter::voluntary_context_switches, now.switches - state.at_enter.switches - state.own.switches);
}

void close_tallies(ThreadState& state) {
    for (Tally& counted : state.tallies) {
        if (counted.in_this_section == 0) continue;
        ++counted.sections;
        if (counted.in_this_section > counted.most_in_section) counted.most_in_section = counted.in_this_section;
    }
}

}  // namespace

void enter(ThreadState& state) {
    for (Tally& counted : state.tallies) counted.in_this_section = 0;
    state.own = {};
    state.sections = state.sections + 1;
    if (state.sections > warm_up_sections) watch_faults(state);
    state.seen = state.at_enter = usage_now();
    state.counting = true;
    if (state.syscalls_are_seen) state.selector = SYSCALL_DISPATCH_FILTER_BLOCK;
}

void leave(ThreadState& state) {
    state.selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    state.counting = false;
    const Usage now = usage_now();
    unwatch_faults(state);
    add_usage(state, now);
    close_tallies(state);
}

}  // namespace neutone_like::realtime_safety

using namespace neutone_like::realtime_safety;

extern "C" __attribute__((visibility("default"))) void neutone_like_rt_enter() {
    const bool known = this_thread_state != nullptr;
    ThreadState* state = registered_thread();
    if (state == nullptr) return;
    if (!known) {  // once for nothing, so that every page it needs is there
        enter(*state);
        leave(*state);
        state->sections = 0;
        state->warm_up_minor = state->warm_up_major = 0;
        for (Tally& counted : state->tallies) counted = {};
    }
    if (state->depth == 0) enter(*state);
    state->depth = state->depth + 1;
}

extern "C" __attribute__((visibility("default"))) void neutone_like_rt_leave() {
    ThreadState* state = this_thread_state;
    if (state == nullptr || state->depth == 0) return;
    state->depth = state->depth - 1;
    if (state->depth == 0) leave(*state);
}
