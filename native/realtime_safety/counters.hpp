// What is counted. A counter that is a function has that function's name.
#pragma once

namespace neutone_like::realtime_safety {

// clang-format off: the lists are tables.
#define NEUTONE_LIKE_MEMORY_COUNTERS(X) \
    X(malloc) X(calloc) X(realloc) X(reallocarray) X(memalign) X(aligned_alloc) X(posix_memalign) X(valloc) X(pvalloc) \
    X(free)

#define NEUTONE_LIKE_LOCK_COUNTERS(X) \
    X(pthread_mutex_lock) X(pthread_mutex_trylock) X(pthread_mutex_timedlock) X(pthread_mutex_clocklock) \
    X(pthread_rwlock_rdlock) X(pthread_rwlock_tryrdlock) X(pthread_rwlock_timedrdlock) X(pthread_rwlock_clockrdlock) \
    X(pthread_rwlock_wrlock) X(pthread_rwlock_trywrlock) X(pthread_rwlock_timedwrlock) X(pthread_rwlock_clockwrlock) \
    X(pthread_spin_lock) \
    X(pthread_cond_wait) X(pthread_cond_timedwait) X(pthread_cond_clockwait) \
    X(sem_wait) X(sem_timedwait) X(sem_clockwait) X(pthread_join) X(pthread_barrier_wait) \
    X(pthread_timedjoin_np) X(pthread_clockjoin_np) X(pthread_tryjoin_np) X(pthread_once) \
    X(mtx_lock) X(mtx_trylock) X(mtx_timedlock) X(cnd_wait) X(cnd_timedwait) X(thrd_join) X(call_once)

// Functions of the C library that hold a lock of its own while they work.
#define NEUTONE_LIKE_LIBRARY_LOCK_COUNTERS(X) \
    X(flockfile) X(ftrylockfile) X(fputc) X(putc) X(putchar) X(fputs) X(puts) X(fwrite) X(fflush) \
    X(printf) X(fprintf) X(vprintf) X(vfprintf) X(__printf_chk) X(__fprintf_chk) X(__vprintf_chk) X(__vfprintf_chk) \
    X(fgetc) X(getc) X(getchar) X(fgets) X(fread) \
    X(rand) X(srand) X(random) X(srandom) X(localtime) X(localtime_r) X(mktime) X(malloc_trim)

#define NEUTONE_LIKE_STREAM_COUNTERS(X) \
    X(fseek) X(fseeko) X(fseeko64) X(ftell) X(ftello) X(ftello64) X(rewind) X(fgetpos) X(fgetpos64) X(fsetpos) \
    X(fsetpos64) X(ungetc) X(getline) X(getdelim) X(__getdelim) X(getw) X(putw) X(feof) X(ferror) X(clearerr) \
    X(setbuf) X(setbuffer) X(setlinebuf) X(setvbuf) X(perror) X(__fgets_chk) X(__fread_chk) X(scanf) X(fscanf) X(vscanf) X(vfscanf) X(wscanf) \
    X(fwscanf) X(vwscanf) X(vfwscanf) X(__isoc99_scanf) X(__isoc99_fscanf) X(__isoc99_vscanf) X(__isoc99_vfscanf) \
    X(__isoc99_wscanf) X(__isoc99_fwscanf) X(__isoc99_vwscanf) X(__isoc99_vfwscanf) X(__isoc23_scanf) \
    X(__isoc23_fscanf) X(__isoc23_vscanf) X(__isoc23_vfscanf) X(__isoc23_wscanf) X(__isoc23_fwscanf) \
    X(__isoc23_vwscanf) X(__isoc23_vfwscanf)

#define NEUTONE_LIKE_WIDE_STREAM_COUNTERS(X) \
    X(fputwc) X(putwc) X(putwchar) X(fputws) X(fgetwc) X(getwc) X(getwchar) X(fgetws) X(ungetwc) X(wprintf) \
    X(fwprintf) X(vwprintf) X(vfwprintf) X(__wprintf_chk) X(__fwprintf_chk) X(__vwprintf_chk) X(__vfwprintf_chk)

// The time zone, the environment, the locale, what runs at exit, folders and loaded objects have locks of their own, too.
#define NEUTONE_LIKE_SETTINGS_COUNTERS(X) \
    X(gmtime) X(gmtime_r) X(timegm) X(tzset) X(ctime) X(ctime_r) X(strftime) X(strftime_l) X(wcsftime) \
    X(wcsftime_l) X(initstate) X(setstate) X(setenv) X(unsetenv) X(putenv) X(setlocale) X(newlocale) \
    X(duplocale) X(freelocale) X(gettext) X(dgettext) X(dcgettext) X(ngettext) X(dngettext) X(dcngettext) \
    X(textdomain) X(bindtextdomain) X(mallopt) X(mallinfo) X(mallinfo2) X(malloc_info) \
    X(__cxa_atexit) X(on_exit) X(readdir) X(readdir64) X(telldir) X(dladdr) X(dl_iterate_phdr)

// The C++ library's: around what is made at its first use.
#define NEUTONE_LIKE_CPP_COUNTERS(X) X(__cxa_guard_acquire)

#define NEUTONE_LIKE_PASSED_ON_COUNTERS(X) \
    NEUTONE_LIKE_LOCK_COUNTERS(X) NEUTONE_LIKE_LIBRARY_LOCK_COUNTERS(X) NEUTONE_LIKE_STREAM_COUNTERS(X) \
    NEUTONE_LIKE_WIDE_STREAM_COUNTERS(X) NEUTONE_LIKE_SETTINGS_COUNTERS(X) NEUTONE_LIKE_CPP_COUNTERS(X)

// What the kernel tells. A futex wake-up is what sem_post and the like make, a bounded wait is on a futex and has a
// deadline: syscalls that may be allowed once.
#define NEUTONE_LIKE_KERNEL_COUNTERS(X) \
    X(minor_page_faults) X(major_page_faults) X(syscalls) X(futex_wake_ups) X(bounded_waits) \
    X(voluntary_context_switches)

#define NEUTONE_LIKE_COUNTERS(X) \
    NEUTONE_LIKE_MEMORY_COUNTERS(X) NEUTONE_LIKE_PASSED_ON_COUNTERS(X) NEUTONE_LIKE_KERNEL_COUNTERS(X)
// clang-format on

enum class Counter : int {
#define NEUTONE_LIKE_ENUMERATOR(name) name,
    NEUTONE_LIKE_COUNTERS(NEUTONE_LIKE_ENUMERATOR)
#undef NEUTONE_LIKE_ENUMERATOR
};

inline constexpr const char* counter_names[] = {
#define NEUTONE_LIKE_NAME(name) #name,
    NEUTONE_LIKE_COUNTERS(NEUTONE_LIKE_NAME)
#undef NEUTONE_LIKE_NAME
};

inline constexpr int counter_count = sizeof(counter_names) / sizeof(counter_names[0]);

}  // namespace neutone_like::realtime_safety
