#include "next_function.hpp"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <initializer_list>

namespace neutone_like::realtime_safety {
namespace {

void* next_functions[counter_count];

// Some of these names have an older meaning too, which a plain look-up may give.
void* find_next(const char* name) {
    void* function = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    if (function == nullptr) function = dlsym(RTLD_NEXT, name);
    // A program in another language has the C++ library where RTLD_NEXT does not look: with what it loads later.
    for (const char* library : {"libstdc++.so.6", "libc++abi.so.1"}) {
        if (function != nullptr) break;
        void* loaded = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
        if (loaded != nullptr) function = dlsym(loaded, name);
    }
    return function;
}

// Nothing that looking it up does is the caller's.
void* find_next_uncounted(const char* name) {
    ThreadState* state = this_thread_state;
    if (state == nullptr) return find_next(name);
    const Pause pause(*state);
    return find_next(name);
}

void* known_or_found(Counter counter) {
    const int index = static_cast<int>(counter);
    if (next_functions[index] == nullptr) next_functions[index] = find_next_uncounted(counter_names[index]);
    return next_functions[index];
}

[[noreturn]] void give_up(const char* name) {
    char text[128];
    snprintf(text, sizeof(text), "neutone-like: this C library has no %s\n", name);
    next<int(const char*, FILE*)>(Counter::fputs)(text, stderr);
    abort();
}

__attribute__((constructor)) void find_all() {
#define NEUTONE_LIKE_FIND(name) \
    next_functions[static_cast<int>(Counter::name)] = find_next(counter_names[static_cast<int>(Counter::name)]);
    NEUTONE_LIKE_PASSED_ON_COUNTERS(NEUTONE_LIKE_FIND)
#undef NEUTONE_LIKE_FIND
}

}  // namespace

void* next_function(Counter counter) {
    void* const found = known_or_found(counter);
    if (found == nullptr) give_up(counter_names[static_cast<int>(counter)]);
    return found;
}

bool is_there(Counter counter) {
    switch (counter) {
#define NEUTONE_LIKE_CASE(name) case Counter::name:
        NEUTONE_LIKE_PASSED_ON_COUNTERS(NEUTONE_LIKE_CASE)
#undef NEUTONE_LIKE_CASE
        return known_or_found(counter) != nullptr;
        default: return true;
    }
}

}  // namespace neutone_like::realtime_safety
