// Every system call of a marked thread arrives here as a signal (Linux: Syscall User Dispatch, since 5.11), is counted,
// made on the thread's behalf, and its result handed back.
#include <errno.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

#include "raw_syscalls.hpp"
#include "run.hpp"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#error "Linux headers from 5.11 on are needed"
#endif

namespace neutone_like::realtime_safety {
namespace {

constexpr int syscall_instruction_bytes = 2;

bool is_wake_up(long number, long operation) {
    if (number != SYS_futex) return false;
    const long command = operation & FUTEX_CMD_MASK;
    return command == FUTEX_WAKE || command == FUTEX_WAKE_BITSET || command == FUTEX_WAKE_OP;
}

int64_t as_ns(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

// How long a wait on a futex may last at most, in ns; -1: it is none, or may last for ever.
int64_t bounded_wait_ns(const greg_t* registers) {
    const auto operation = static_cast<long>(registers[REG_RSI]);
    const long command = operation & FUTEX_CMD_MASK;
    const auto* limit = reinterpret_cast<const timespec*>(registers[REG_R10]);
    const bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
    if (registers[REG_RAX] != SYS_futex || !waits || limit == nullptr) return -1;
    if (command == FUTEX_WAIT) return as_ns(*limit);
    timespec now{};
    clock_gettime((operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    const int64_t left = as_ns(*limit) - as_ns(now);
    return left > 0 ? left : 0;
}

Counter counter_of(const greg_t* registers, int64_t wait_ns) {
    if (is_wake_up(registers[REG_RAX], registers[REG_RSI])) return Counter::futex_wake_ups;
    return wait_ns >= 0 ? Counter::bounded_waits : Counter::syscalls;
}

// These depend on the stack that they are called with, so they can't be made from a handler.
bool must_be_made_by_the_thread(long number) {
    switch (number) {
        case SYS_rt_sigreturn:
        case SYS_sigaltstack:
        case SYS_clone:
        case SYS_clone3:
        case SYS_fork:
        case SYS_vfork:
        case SYS_execve:
        case SYS_execveat:
        case SYS_exit:
        case SYS_prctl: return true;
        default: return false;
    }
}

// A handler's own mask ends with it, so the one that the thread goes on with is changed instead. SIGSYS stays open.
long change_mask(ucontext_t& context, long how, const uint64_t* set, uint64_t* old) {
    auto& mask = reinterpret_cast<uint64_t&>(context.uc_sigmask);
    const uint64_t before = mask;
    if (set != nullptr) {
        if (how == SIG_BLOCK) {
            mask |= *set;
        } else if (how == SIG_UNBLOCK) {
            mask &= ~*set;
        } else if (how == SIG_SETMASK) {
            mask = *set;
        } else {
            return -EINVAL;
        }
        mask &= ~(uint64_t{1} << (SIGSYS - 1));
    }
    if (old != nullptr) *old = before;
    return 0;
}

long make(ucontext_t& context) {
    const greg_t* registers = context.uc_mcontext.gregs;
    if (registers[REG_RAX] == SYS_rt_sigprocmask && registers[REG_R10] == sizeof(uint64_t)) {
        return change_mask(context, registers[REG_RDI], reinterpret_cast<const uint64_t*>(registers[REG_RSI]),
                           reinterpret_cast<uint64_t*>(registers[REG_RDX]));
    }
    if (registers[REG_RAX] == SYS_exit_group) end_run("exited", static_cast<int>(registers[REG_RDI]), &context);
    return neutone_like_rt_syscall(registers[REG_RAX], registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                                   registers[REG_R10], registers[REG_R8], registers[REG_R9]);
}

void keep_what_the_call_cost(ThreadState& state, const Usage& before, void* where) {
    const Usage after = usage_now();
    const bool warm = state.sections > warm_up_sections;
    if (after.switches > before.switches) keep_first_stack(state, Counter::voluntary_context_switches, where);
    if (warm && after.minor > before.minor) keep_first_stack(state, Counter::minor_page_faults, where);
    if (warm && after.major > before.major) keep_first_stack(state, Counter::major_page_faults, where);
    state.seen = usage_now();
}

void on_syscall(int, siginfo_t*, void* context) {
    ThreadState& state = *this_thread_state;
    state.selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    greg_t* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    const long number = registers[REG_RAX];
    void* const where = reinterpret_cast<void*>(registers[REG_RIP]);
    if (state.counting && number != SYS_rt_sigreturn) {
        const int64_t wait_ns = bounded_wait_ns(registers);
        if (wait_ns > state.longest_wait_ns) state.longest_wait_ns = wait_ns;
        count(state, counter_of(registers, wait_ns), where);
        ++state.syscalls[number >= 0 && number < syscall_numbers ? number : syscall_numbers - 1];
    }
    if (must_be_made_by_the_thread(number)) {  // and those after it in this section go by uncounted
        registers[REG_RIP] -= syscall_instruction_bytes;
        return;
    }
    const bool counting = state.counting;
    state.counting = false;
    const Usage before = usage_now();
    registers[REG_RAX] = make(*static_cast<ucontext_t*>(context));
    keep_what_the_call_cost(state, before, where);
    state.counting = counting;
    state.selector = SYSCALL_DISPATCH_FILTER_BLOCK;
}

}  // namespace

bool see_syscalls(ThreadState& state) {
    if (!install_handler(SIGSYS, on_syscall)) return false;
    const long begin = reinterpret_cast<long>(neutone_like_rt_code_begin);
    const long length = neutone_like_rt_code_end - neutone_like_rt_code_begin;
    return neutone_like_rt_syscall(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, begin, length,
                                   reinterpret_cast<long>(&state.selector)) == 0;
}

}  // namespace neutone_like::realtime_safety
