// Functions that are counted, and then passed on to the C library's own.
#pragma once

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
