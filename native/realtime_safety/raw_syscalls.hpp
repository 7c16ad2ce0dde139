// System calls of the checker's own: issued from one stretch of code that the kernel is told not to report.
#pragma once

#include <signal.h>

extern "C" {
long neutone_like_rt_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0);
extern const char neutone_like_rt_code_begin[];
extern const char neutone_like_rt_code_end[];
}

namespace neutone_like::realtime_safety {

using Handler = void (*)(int signal, siginfo_t* info, void* context);

// sigaction with a return path inside that stretch. Handlers run on the thread's alternate stack.
bool install_handler(int signal, Handler handler);

}  // namespace neutone_like::realtime_safety
