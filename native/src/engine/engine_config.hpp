// What an engine is told.
#pragma once

namespace neutone_like {

struct EngineConfig {
    int workers = 1;
    bool polling = false;           // workers look for work by themselves instead of being woken
    bool realtime_priority = true;  // SCHED_FIFO where the system permits it
    double watchdog_seconds = 2.0;  // a block that takes longer is given up
};

}  // namespace neutone_like
