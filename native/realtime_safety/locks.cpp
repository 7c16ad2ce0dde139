// What may make a thread wait for another: counted, then passed on. std::mutex, std::condition_variable and the like
// end here.
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "thread_state.hpp"

namespace neutone_like::realtime_safety {
namespace {

void* next_functions[counter_count];

// Some of these names have an older meaning too, which a plain look-up may give.
void* find_next(const char* name) {
    void* function = dlvsym(RTLD_NEXT, name, "GLIBC_2.3.2");
    return function != nullptr ? function : dlsym(RTLD_NEXT, name);
}

[[noreturn]] void give_up(const char* name) {
    fprintf(stderr, "neutone-like: this C library has no %s\n", name);
    abort();
}

template <typename Function>
Function* next(Counter counter) {
    const int index = static_cast<int>(counter);
    if (next_functions[index] == nullptr) next_functions[index] = find_next(counter_names[index]);
    if (next_functions[index] == nullptr) give_up(counter_names[index]);
    return reinterpret_cast<Function*>(next_functions[index]);
}

__attribute__((constructor)) void find_all() {
#define NEUTONE_LIKE_FIND(name) \
    next_functions[static_cast<int>(Counter::name)] = find_next(counter_names[static_cast<int>(Counter::name)]);
    NEUTONE_LIKE_LOCK_COUNTERS(NEUTONE_LIKE_FIND)
#undef NEUTONE_LIKE_FIND
}

}  // namespace

bool is_there(Counter counter) {
    switch (counter) {
#define NEUTONE_LIKE_CASE(name) case Counter::name:
        NEUTONE_LIKE_LOCK_COUNTERS(NEUTONE_LIKE_CASE)
#undef NEUTONE_LIKE_CASE
        return next_functions[static_cast<int>(counter)] != nullptr;
        default:
            return true;
    }
}

}  // namespace neutone_like::realtime_safety

#define NEUTONE_LIKE_PASS_ON(name, parameters, arguments, ...)                                     \
    extern "C" __attribute__((visibility("default"))) int name parameters __VA_ARGS__ {            \
        using namespace neutone_like::realtime_safety;                                             \
        count(Counter::name);                                                                      \
        return next<int parameters>(Counter::name) arguments;                                      \
    }

NEUTONE_LIKE_PASS_ON(pthread_mutex_lock, (pthread_mutex_t* mutex), (mutex), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_mutex_trylock, (pthread_mutex_t* mutex), (mutex), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_mutex_timedlock, (pthread_mutex_t* mutex, const timespec* until), (mutex, until), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_mutex_clocklock, (pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
                     (mutex, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_rdlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_tryrdlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_timedrdlock, (pthread_rwlock_t* lock, const timespec* until), (lock, until),
                     noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_clockrdlock, (pthread_rwlock_t* lock, clockid_t clock, const timespec* until),
                     (lock, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_wrlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_trywrlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_timedwrlock, (pthread_rwlock_t* lock, const timespec* until), (lock, until),
                     noexcept)
NEUTONE_LIKE_PASS_ON(pthread_rwlock_clockwrlock, (pthread_rwlock_t* lock, clockid_t clock, const timespec* until),
                     (lock, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_spin_lock, (pthread_spinlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(pthread_cond_wait, (pthread_cond_t* condition, pthread_mutex_t* mutex), (condition, mutex))
NEUTONE_LIKE_PASS_ON(pthread_cond_timedwait, (pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until),
                     (condition, mutex, until))
NEUTONE_LIKE_PASS_ON(pthread_cond_clockwait,
                     (pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
                     (condition, mutex, clock, until))
NEUTONE_LIKE_PASS_ON(sem_wait, (sem_t* semaphore), (semaphore))
NEUTONE_LIKE_PASS_ON(sem_timedwait, (sem_t* semaphore, const timespec* until), (semaphore, until))
NEUTONE_LIKE_PASS_ON(sem_clockwait, (sem_t* semaphore, clockid_t clock, const timespec* until),
                     (semaphore, clock, until))
NEUTONE_LIKE_PASS_ON(pthread_join, (pthread_t thread, void** result), (thread, result))
NEUTONE_LIKE_PASS_ON(pthread_barrier_wait, (pthread_barrier_t* barrier), (barrier), noexcept)
