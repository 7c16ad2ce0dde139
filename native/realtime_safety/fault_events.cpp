// getrusage says how many page faults there were; where the first was, a perf event says by a signal. A kernel may
// refuse perf events (perf_event_paranoid above 2): then the number stands without a stack.
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "raw_syscalls.hpp"
#include "thread_state.hpp"

namespace neutone_like::realtime_safety {
namespace {

void control(ThreadState& state, unsigned long request, bool watched) {
    state.faults_are_watched = watched;
    neutone_like_rt_syscall(SYS_ioctl, state.fault_events, static_cast<long>(request), 0);
}

bool both_are_known(ThreadState& state) {
    return tally(state, Counter::minor_page_faults).first.depth > 0 &&
           tally(state, Counter::major_page_faults).first.depth > 0;
}

void on_fault(int, siginfo_t*, void* context) {
    ThreadState* state = this_thread_state;
    if (state == nullptr || !state->counting) return;
    const Pause pause(*state);
    unwatch_faults(*state);
    void* const where = reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
    const Usage now = usage_now();
    if (now.minor > state->seen.minor) keep_first_stack(*state, Counter::minor_page_faults, where);
    if (now.major > state->seen.major) keep_first_stack(*state, Counter::major_page_faults, where);
    if (now.switches > state->seen.switches) keep_first_stack(*state, Counter::voluntary_context_switches, where);
    state->seen = usage_now();
    watch_faults(*state);
}

}  // namespace

void open_fault_events(ThreadState& state) {
    perf_event_attr event;
    memset(&event, 0, sizeof(event));
    event.size = sizeof(event);
    event.type = PERF_TYPE_SOFTWARE;
    event.config = PERF_COUNT_SW_PAGE_FAULTS;
    event.sample_period = 1;
    event.disabled = 1;
    event.exclude_kernel = 1;
    event.exclude_hv = 1;
    event.sigtrap = 1;
    event.remove_on_exec = 1;
    state.fault_events = static_cast<int>(
        neutone_like_rt_syscall(SYS_perf_event_open, reinterpret_cast<long>(&event), 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (state.fault_events >= 0) install_handler(SIGTRAP, on_fault);
}

void watch_faults(ThreadState& state) {
    if (state.fault_events >= 0 && !both_are_known(state)) control(state, PERF_EVENT_IOC_ENABLE, true);
}

void unwatch_faults(ThreadState& state) {
    if (state.faults_are_watched) control(state, PERF_EVENT_IOC_DISABLE, false);
}

}  // namespace neutone_like::realtime_safety
