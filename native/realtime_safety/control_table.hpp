// Offences to commit on purpose, by which a run proves that its counters count.
#pragma once

extern "C" {

struct neutone_like_rt_control {
    const char* counter;
    void (*arrange)();  // before the section; NULL: nothing to do
    void (*commit)();   // inside it
    void (*tidy)();     // after it; NULL: nothing to do
};

// Ends with a counter of NULL.
typedef const neutone_like_rt_control* (*neutone_like_rt_controls_entry)();
#define NEUTONE_LIKE_RT_CONTROLS "neutone_like_rt_controls"
}
