#include "next_function.hpp"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

namespace neutone_like::realtime_safety {
namespace {

void* next_functions[counter_count];

// Some of these names have an older meaning too, which a plain look-up may give.
void* find_next(const char* name) {
    void* function = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return function != nullptr ? function : dlsym(RTLD_NEXT, name);
}

[[noreturn]] void give_up(const char* name) {
    char text[128];
    snprintf(text, sizeof(text), "neutone-like: this C library has no %s\n", name);
    next<int(const char*, FILE*)>(Counter::fputs)(text, stderr);
    abort();
}

#define NEUTONE_LIKE_PASSED_ON(X) NEUTONE_LIKE_LOCK_COUNTERS(X) NEUTONE_LIKE_LIBRARY_LOCK_COUNTERS(X)

__attribute__((constructor)) void find_all() {
#define NEUTONE_LIKE_FIND(name) \
    next_functions[static_cast<int>(Counter::name)] = find_next(counter_names[static_cast<int>(Counter::name)]);
    NEUTONE_LIKE_PASSED_ON(NEUTONE_LIKE_FIND)
#undef NEUTONE_LIKE_FIND
}

}  // namespace

void* next_function(Counter counter) {
    const int index = static_cast<int>(counter);
    if (next_functions[index] == nullptr) next_functions[index] = find_next(counter_names[index]);
    if (next_functions[index] == nullptr) give_up(counter_names[index]);
    return next_functions[index];
}

bool is_there(Counter counter) {
    switch (counter) {
#define NEUTONE_LIKE_CASE(name) case Counter::name:
        NEUTONE_LIKE_PASSED_ON(NEUTONE_LIKE_CASE)
#undef NEUTONE_LIKE_CASE
        return next_functions[static_cast<int>(counter)] != nullptr;
        default: return true;
    }
}

}  // namespace neutone_like::realtime_safety
