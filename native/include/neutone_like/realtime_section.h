/* Marks what a thread does between two points as real-time, for the real-time-safety checker. Costs two calls through a
 * pointer where the checker is there, and a comparison where it isn't.
 *
 *     static neutone_like_realtime_marks marks;      // outside the audio thread:
 *     marks = neutone_like_find_realtime_marks();
 *     ...
 *     neutone_like_enter_realtime(&marks);           // on the audio thread, in every callback:
 *     process(...);
 *     neutone_like_leave_realtime(&marks);
 *
 * Include it before other system headers in C, or define _GNU_SOURCE.
 */
#ifndef NEUTONE_LIKE_REALTIME_SECTION_H
#define NEUTONE_LIKE_REALTIME_SECTION_H

#ifndef _WIN32
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#endif
#include <stddef.h>

typedef struct neutone_like_realtime_marks {
    void (*enter)(void);
    void (*leave)(void);
} neutone_like_realtime_marks;

static inline neutone_like_realtime_marks neutone_like_find_realtime_marks(void) {
    neutone_like_realtime_marks marks = {NULL, NULL};
#ifndef _WIN32
    *(void**)&marks.enter = dlsym(RTLD_DEFAULT, "neutone_like_rt_enter");
    *(void**)&marks.leave = dlsym(RTLD_DEFAULT, "neutone_like_rt_leave");
#endif
    return marks;
}

static inline void neutone_like_enter_realtime(const neutone_like_realtime_marks* marks) {
    if (marks->enter != NULL) marks->enter();
}

static inline void neutone_like_leave_realtime(const neutone_like_realtime_marks* marks) {
    if (marks->leave != NULL) marks->leave();
}

#endif
