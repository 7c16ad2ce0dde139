// What may make a thread wait for another: counted, then passed on. std::mutex, std::condition_variable and the like
// end here. glibc's C11 functions go on to the POSIX ones inside of it, so each is one count.
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

#include "next_function.hpp"

NEUTONE_LIKE_PASS_ON(int, pthread_mutex_lock, (pthread_mutex_t* mutex), (mutex), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_mutex_trylock, (pthread_mutex_t* mutex), (mutex), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_mutex_timedlock, (pthread_mutex_t* mutex, const timespec* until), (mutex, until), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_mutex_clocklock, (pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
                     (mutex, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_rdlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t* lock, const timespec* until), (lock, until),
                     noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_clockrdlock, (pthread_rwlock_t* lock, clockid_t clock, const timespec* until),
                     (lock, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_wrlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_trywrlock, (pthread_rwlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t* lock, const timespec* until), (lock, until),
                     noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_rwlock_clockwrlock, (pthread_rwlock_t* lock, clockid_t clock, const timespec* until),
                     (lock, clock, until), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_spin_lock, (pthread_spinlock_t* lock), (lock), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_cond_wait, (pthread_cond_t* condition, pthread_mutex_t* mutex), (condition, mutex))
NEUTONE_LIKE_PASS_ON(int, pthread_cond_timedwait, (pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until),
                     (condition, mutex, until))
NEUTONE_LIKE_PASS_ON(int, pthread_cond_clockwait,
                     (pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until),
                     (condition, mutex, clock, until))
NEUTONE_LIKE_PASS_ON(int, sem_wait, (sem_t* semaphore), (semaphore))
NEUTONE_LIKE_PASS_ON(int, sem_timedwait, (sem_t* semaphore, const timespec* until), (semaphore, until))
NEUTONE_LIKE_PASS_ON(int, sem_clockwait, (sem_t* semaphore, clockid_t clock, const timespec* until),
                     (semaphore, clock, until))
NEUTONE_LIKE_PASS_ON(int, pthread_join, (pthread_t thread, void** result), (thread, result))
NEUTONE_LIKE_PASS_ON(int, pthread_barrier_wait, (pthread_barrier_t* barrier), (barrier), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_timedjoin_np, (pthread_t thread, void** result, const timespec* until),
                     (thread, result, until))
NEUTONE_LIKE_PASS_ON(int, pthread_clockjoin_np,
                     (pthread_t thread, void** result, clockid_t clock, const timespec* until),
                     (thread, result, clock, until))
NEUTONE_LIKE_PASS_ON(int, pthread_tryjoin_np, (pthread_t thread, void** result), (thread, result), noexcept)
NEUTONE_LIKE_PASS_ON(int, pthread_once, (pthread_once_t* once, void (*function)()), (once, function))
NEUTONE_LIKE_PASS_ON(int, mtx_lock, (mtx_t* mutex), (mutex))
NEUTONE_LIKE_PASS_ON(int, mtx_trylock, (mtx_t* mutex), (mutex))
NEUTONE_LIKE_PASS_ON(int, mtx_timedlock, (mtx_t* mutex, const timespec* until), (mutex, until))
NEUTONE_LIKE_PASS_ON(int, cnd_wait, (cnd_t* condition, mtx_t* mutex), (condition, mutex))
NEUTONE_LIKE_PASS_ON(int, cnd_timedwait, (cnd_t* condition, mtx_t* mutex, const timespec* until),
                     (condition, mutex, until))
NEUTONE_LIKE_PASS_ON(int, thrd_join, (thrd_t thread, int* result), (thread, result))
NEUTONE_LIKE_PASS_ON(void, call_once, (once_flag* flag, void (*function)()), (flag, function))
