#include "engine/call_watch.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace {

// The start of one of the system's files about a thread; false where there is none.
bool read_about(pid_t thread, const char* what, char* text, size_t size) noexcept {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", static_cast<int>(thread), what);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const ssize_t length = read(file, text, size - 1);
    close(file);
    text[std::max<ssize_t>(length, 0)] = '\0';
    return length > 0;
}

}  // namespace

pid_t this_thread() noexcept { return static_cast<pid_t>(syscall(SYS_gettid)); }

ThreadTime thread_time(pid_t thread) noexcept {
    char times[128], state[512];
    if (!read_about(thread, "schedstat", times, sizeof times)) return {};
    if (!read_about(thread, "stat", state, sizeof state)) return {};
    return thread_time(times, state);
}

ThreadTime thread_time(const char* schedstat, const char* stat) noexcept {
    ThreadTime time;
    if (std::sscanf(schedstat, "%" SCNu64 " %" SCNu64, &time.ran_ns, &time.waited_ns) != 2) return {};
    // Kernels that have the file but don't keep its numbers say 0 of every thread (fs/proc/base.c, sched_info_on).
    if (time.ran_ns == 0) return {};
    const char* const name_ends = std::strrchr(stat, ')');  // a name may hold anything
    if (name_ends == nullptr || name_ends[1] != ' ') return {};
    time.runnable = name_ends[2] == 'R';
    time.known = true;
    return time;
}

uint64_t CallWatch::spent_ns(uint64_t since_ns, pid_t thread) noexcept {
    return look(now_ns(), since_ns, since_ns == 0 ? ThreadTime{} : thread_time(thread));
}

uint64_t CallWatch::look(uint64_t now_ns, uint64_t since_ns, const ThreadTime& time) noexcept {
    if (since_ns != since_ns_) {
        since_ns_ = since_ns;
        spent_ns_ = 0;
    } else if (since_ns != 0) {
        uint64_t between = std::min(now_ns - last_ns_, kMostBetweenNs);
        if (time.known && before_.known) {
            // The time that a thread waits is added up when it gets its processor: until then what it ran tells.
            const uint64_t waited = std::min(time.waited_ns - before_.waited_ns, between);
            between = time.runnable ? std::min(time.ran_ns - before_.ran_ns, between) : between - waited;
        }
        spent_ns_ += between;
    }
    last_ns_ = now_ns;
    before_ = time;
    return spent_ns_;
}

}  // namespace neutone_like
