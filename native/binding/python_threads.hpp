// Engine threads that call Python.
#pragma once

#include <nanobind/nanobind.h>

#include <utility>

#if defined(__GLIBCXX__)
#include <cxxabi.h>
#include <unistd.h>
#endif

namespace neutone_like {

// Gives the calling thread a Python thread state for the rest of its life: making one costs a page fault, too much to
// pay for every block. A thread that has one already keeps it.
void attach_to_python();

// Before Python 3.14 an interpreter that shuts down ends every other thread which asks for the GIL, by unwinding its
// stack: through C++ frames that forbid it, which ends the process. Such a thread, which only a model that never
// returns can leave behind, sleeps instead until the process is gone.
template <typename Work>
auto surviving_shutdown(Work&& work) {
#if defined(__GLIBCXX__)
    try {
        return std::forward<Work>(work)();
    } catch (const abi::__forced_unwind&) {
        for (;;) pause();
    }
#else
    return std::forward<Work>(work)();
#endif
}

}  // namespace neutone_like
