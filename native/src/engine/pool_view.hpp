// What a session knows of the pool that it plays on.
#pragma once

#include <functional>

namespace neutone_like {

class Session;

struct PoolView {
    double load_seconds = 0.0;  // the work of one callback of every other session, over the workers
    int workers = 1;
    bool realtime_priority = false;
    double watchdog_seconds = 2.0;
    std::function<void()> wake;  // empty with polling workers
    // The pool lets go of a session; with `wait`, once its workers are out of it, or soon after where they are not.
    std::function<void(const Session*, bool wait)> closed;

    void wake_worker() const noexcept {
        if (wake) wake();
    }
};

}  // namespace neutone_like
