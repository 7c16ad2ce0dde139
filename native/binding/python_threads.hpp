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
// stack: through C++ frames that forbid it, which ends the process. Such a thread, a daemon of Python's or one that a model
// never returned to, sleeps instead until the process is gone.
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

// The engine's work on a thread of Python's, without the GIL. The interpreter may be gone when it is wanted back.
class GilReleased {
public:
    GilReleased() : state_(PyEval_SaveThread()) {}
    ~GilReleased() {
        surviving_shutdown([this] {
            PyEval_RestoreThread(state_);
            return 0;
        });
    }
    GilReleased(const GilReleased&) = delete;
    GilReleased& operator=(const GilReleased&) = delete;

private:
    PyThreadState* state_;
};

}  // namespace neutone_like
