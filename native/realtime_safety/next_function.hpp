// Functions that are counted, and then passed on to the C library's own.
#pragma once

#include <stdarg.h>

#include "thread_state.hpp"

namespace neutone_like::realtime_safety {

// The C library's own; ends the process where it has none.
void* next_function(Counter counter);

template <typename Function>
Function* next(Counter counter) {
    return reinterpret_cast<Function*>(next_function(counter));
}

}  // namespace neutone_like::realtime_safety

// As the C library declares it: what it returns, its name, its parameters, their names, and `noexcept` where that says so.
#define NEUTONE_LIKE_PASS_ON(result, name, parameters, arguments, ...)                     \
    extern "C" __attribute__((visibility("default"))) result name parameters __VA_ARGS__ { \
        using namespace neutone_like::realtime_safety;                                     \
        count(Counter::name);                                                              \
        return next<result parameters>(Counter::name) arguments;                           \
    }

// The same for what headers know by more than one name, or declare in a way that leaves no room for another definition.
#define NEUTONE_LIKE_PASS_ON_BY_NAME(result, name, parameters, arguments)                                      \
    extern "C" __attribute__((visibility("default"))) result neutone_like_rt_##name parameters __asm__(#name); \
    result neutone_like_rt_##name parameters {                                                                 \
        using namespace neutone_like::realtime_safety;                                                         \
        count(Counter::name);                                                                                  \
        return next<result parameters>(Counter::name) arguments;                                               \
    }

// Those with any number of arguments go on as their relative that takes a list of them.
#define NEUTONE_LIKE_PASS_ON_LIST(name, parameters, last, relative, relative_parameters, ...)               \
    extern "C" __attribute__((visibility("default"))) int neutone_like_rt_##name parameters __asm__(#name); \
    int neutone_like_rt_##name parameters {                                                                 \
        using namespace neutone_like::realtime_safety;                                                      \
        count(Counter::name);                                                                               \
        va_list values;                                                                                     \
        va_start(values, last);                                                                             \
        const int done = next<int relative_parameters>(Counter::relative)(__VA_ARGS__);                     \
        va_end(values);                                                                                     \
        return done;                                                                                        \
    }
