// Controls that prove nothing: an offence that is none, or, with ALWAYS, one that counts wherever it is committed.
#include <stdlib.h>

#include "control_table.hpp"

extern "C" void neutone_like_rt_enter();
extern "C" void neutone_like_rt_leave();

static void do_nothing() {}

static void mark_and_allocate() {
    neutone_like_rt_enter();
    void* volatile memory = malloc(1);
    neutone_like_rt_leave();
    free(memory);
}

extern "C" __attribute__((visibility("default"))) const neutone_like_rt_control* neutone_like_rt_controls() {
    static const neutone_like_rt_control idle[] = {{"malloc", nullptr, do_nothing, nullptr}, {}};
    static const neutone_like_rt_control always[] = {{"malloc", nullptr, mark_and_allocate, nullptr}, {}};
    return getenv("ALWAYS") != nullptr ? always : idle;
}
