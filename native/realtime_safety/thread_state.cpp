#include "thread_state.hpp"

#include <errno.h>
#include <execinfo.h>
#include <linux/prctl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <atomic>

#include "raw_syscalls.hpp"

namespace neutone_like::realtime_safety {

ThreadState states[most_threads];
thread_local ThreadState* this_thread_state = nullptr;
int64_t warm_up_sections = 0;
bool too_many_threads = false;

namespace {

std::atomic<int> threads{0};

void prepare(ThreadState& state) {
    state.thread_id = static_cast<int>(neutone_like_rt_syscall(SYS_gettid));
    state.selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    memset(state.alternate_stack, 1, sizeof(state.alternate_stack));
    stack_t alternate{};
    alternate.ss_sp = state.alternate_stack;
    alternate.ss_size = sizeof(state.alternate_stack);
    neutone_like_rt_syscall(SYS_sigaltstack, reinterpret_cast<long>(&alternate), 0);
    Stack warmed;
    take_stack(warmed, nullptr);  // the unwinder loads a library and allocates at its first use
    state.syscalls_are_seen = see_syscalls(state);
    open_fault_events(state);
    state.in_use = true;
}

}  // namespace

ThreadState* registered_thread() {
    if (this_thread_state != nullptr) return this_thread_state;
    const int index = threads.fetch_add(1);
    if (index >= most_threads) {
        too_many_threads = true;
        return nullptr;
    }
    memset(&states[index], 0, sizeof(ThreadState));  // a page that was never written has no memory yet
    prepare(states[index]);
    return this_thread_state = &states[index];
}

Usage usage_now() {
    rusage usage;
    neutone_like_rt_syscall(SYS_getrusage, RUSAGE_THREAD, reinterpret_cast<long>(&usage));
    return {usage.ru_minflt, usage.ru_majflt, usage.ru_nvcsw};
}

Pause::Pause(ThreadState& state) : state_(state), counting_(state.counting), selector_(state.selector) {
    state.selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    state.counting = false;
}

Pause::~Pause() {
    state_.counting = counting_;
    state_.selector = selector_;
}

void take_stack(Stack& stack, void* exact) {
    stack.depth = backtrace(stack.addresses, deepest_stack);
    stack.exact = exact;
}

void keep_first_stack(ThreadState& state, Counter counter, void* exact) {
    Tally& kept = tally(state, counter);
    if (kept.first.depth > 0) return;
    const int saved_errno = errno;
    const bool watched = state.faults_are_watched;
    if (watched) unwatch_faults(state);
    const Usage before = usage_now();
    take_stack(kept.first, exact);
    const Usage after = usage_now();
    state.own.minor += after.minor - before.minor;
    state.own.major += after.major - before.major;
    state.own.switches += after.switches - before.switches;
    kept.first_section = state.sections;
    if (watched) watch_faults(state);
    errno = saved_errno;
}

void count(ThreadState& state, Counter counter, void* exact) {
    const Pause pause(state);
    Tally& counted = tally(state, counter);
    ++counted.count;
    ++counted.in_this_section;
    keep_first_stack(state, counter, exact);
}

}  // namespace neutone_like::realtime_safety
