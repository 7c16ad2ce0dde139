#include "run.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>

#include "raw_syscalls.hpp"

namespace neutone_like::realtime_safety {
namespace {

constexpr int crash_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr long watch_interval_ns = 20'000'000;

int report_file = -1;
double longest_section_seconds = 0.0;
std::atomic<bool> ended{false};

void* interrupted_at(void* context) {
    return reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
}

void on_crash(int signal, siginfo_t*, void* context) {
    end_run("crashed", signal, context);
    struct sigaction default_action{};
    default_action.sa_handler = SIG_DFL;
    sigaction(signal, &default_action, nullptr);
    neutone_like_rt_syscall(SYS_tgkill, getpid(), neutone_like_rt_syscall(SYS_gettid), signal);
}

void on_stall(int signal, siginfo_t*, void* context) {
    end_run("stalled", signal, context);
    _exit(0);
}

double now_seconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Looks after the sections of all threads, for one that never ends.
void* watch(void*) {
    static int64_t known_sections[most_threads];
    static double known_since[most_threads];
    while (!ended) {
        const timespec interval{0, watch_interval_ns};
        nanosleep(&interval, nullptr);
        for (int index = 0; index < most_threads; ++index) {
            const ThreadState& state = states[index];
            if (!state.in_use || state.probe) continue;
            const bool moved = state.depth == 0 || state.sections != known_sections[index];
            if (moved) known_since[index] = now_seconds();
            known_sections[index] = state.sections;
            if (!moved && now_seconds() - known_since[index] > longest_section_seconds) {
                neutone_like_rt_syscall(SYS_tgkill, getpid(), state.thread_id, SIGURG);
            }
        }
    }
    return nullptr;
}

}  // namespace

void end_run(const char* kind, int number, void* context) {
    if (report_file < 0 || ended.exchange(true)) return;
    static Ending ending;
    ThreadState* state = this_thread_state;
    ending.kind = kind;
    ending.number = number;
    if (state != nullptr && state->depth > 0) {
        ending.section = state->sections;
        leave(*state);
    }
    take_stack(ending.stack, interrupted_at(context));
    write_report(report_file, ending);
}

}  // namespace neutone_like::realtime_safety

using namespace neutone_like::realtime_safety;

// Before the first section that counts. A crash, or a section longer than `longest_seconds`, ends the process with a
// report to `file`.
extern "C" __attribute__((visibility("default"))) int neutone_like_rt_start(int file, int64_t warm_up,
                                                                            double longest_seconds) {
    report_file = file;
    warm_up_sections = warm_up;
    longest_section_seconds = longest_seconds;
    Stack warmed;
    take_stack(warmed, nullptr);
    for (const int signal : crash_signals) install_handler(signal, on_crash);
    install_handler(SIGURG, on_stall);
    pthread_t watcher;
    if (pthread_create(&watcher, nullptr, watch, nullptr) != 0) return -1;
    return pthread_detach(watcher);
}

// A section that was entered and never left, as by a thread that ended in it, is no run to its end.
extern "C" __attribute__((visibility("default"))) void neutone_like_rt_finish() {
    if (ended.exchange(true)) return;
    static Ending ending{"finished", 0, 0, {}};
    for (const ThreadState& state : states) {
        if (state.in_use && !state.probe && state.depth > 0) ending = {"stalled", 0, state.sections, {}};
    }
    write_report(report_file, ending);
}
