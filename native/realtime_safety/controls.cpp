// One offence for every counter. Built without inlining of the C library's functions, so that each call is made.
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "control_table.hpp"
#include "library_controls.hpp"

extern "C" {  // not in the headers of every C library that this runs with
int pthread_mutex_clocklock(pthread_mutex_t*, clockid_t, const timespec*) noexcept;
int pthread_rwlock_clockrdlock(pthread_rwlock_t*, clockid_t, const timespec*) noexcept;
int pthread_rwlock_clockwrlock(pthread_rwlock_t*, clockid_t, const timespec*) noexcept;
int pthread_cond_clockwait(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
int sem_clockwait(sem_t*, clockid_t, const timespec*);
int pthread_clockjoin_np(pthread_t, void**, clockid_t, const timespec*);
int __printf_chk(int, const char*, ...);
int __fprintf_chk(FILE*, int, const char*, ...);
int __vprintf_chk(int, const char*, va_list);
int __vfprintf_chk(FILE*, int, const char*, va_list);
}

namespace {

constexpr size_t bytes = 64;
constexpr size_t alignment = 64;
constexpr size_t page = 4096;

void* memory = nullptr;
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
pthread_spinlock_t spinlock;
pthread_barrier_t barrier;
sem_t semaphore;
pthread_t helper;
std::atomic<bool> helper_stops{false};
volatile char* pages = nullptr;
volatile int futex_word = 0;

void take() { memory = malloc(bytes); }
void give_back() {
    free(memory);
    memory = nullptr;
}
void unlock_mutex() { pthread_mutex_unlock(&mutex); }
void unlock_rwlock() { pthread_rwlock_unlock(&rwlock); }
void make_semaphore() { sem_init(&semaphore, 0, 1); }
void unmake_semaphore() { sem_destroy(&semaphore); }
timespec past() { return {1, 0}; }

void commit_calloc() { memory = calloc(1, bytes); }
void commit_realloc() { memory = realloc(memory, 2 * bytes); }
void commit_reallocarray() { memory = reallocarray(memory, 2, bytes); }
void commit_memalign() { memory = memalign(alignment, bytes); }
void commit_aligned_alloc() { memory = aligned_alloc(alignment, bytes); }
void commit_posix_memalign() {
    if (posix_memalign(&memory, alignment, bytes) != 0) abort();
}
void commit_valloc() { memory = valloc(bytes); }
void commit_pvalloc() { memory = pvalloc(bytes); }

void commit_mutex_lock() { pthread_mutex_lock(&mutex); }
void commit_mutex_trylock() { pthread_mutex_trylock(&mutex); }
void commit_mutex_timedlock() {
    const timespec until = past();
    pthread_mutex_timedlock(&mutex, &until);
}
void commit_mutex_clocklock() {
    const timespec until = past();
    pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until);
}
void commit_rwlock_rdlock() { pthread_rwlock_rdlock(&rwlock); }
void commit_rwlock_tryrdlock() { pthread_rwlock_tryrdlock(&rwlock); }
void commit_rwlock_timedrdlock() {
    const timespec until = past();
    pthread_rwlock_timedrdlock(&rwlock, &until);
}
void commit_rwlock_clockrdlock() {
    const timespec until = past();
    pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &until);
}
void commit_rwlock_wrlock() { pthread_rwlock_wrlock(&rwlock); }
void commit_rwlock_trywrlock() { pthread_rwlock_trywrlock(&rwlock); }
void commit_rwlock_timedwrlock() {
    const timespec until = past();
    pthread_rwlock_timedwrlock(&rwlock, &until);
}
void commit_rwlock_clockwrlock() {
    const timespec until = past();
    pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &until);
}

void make_spinlock() { pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE); }
void commit_spin_lock() { pthread_spin_lock(&spinlock); }
void unmake_spinlock() {
    pthread_spin_unlock(&spinlock);
    pthread_spin_destroy(&spinlock);
}

void* signal_until_stopped(void*) {
    while (!helper_stops) {
        pthread_mutex_lock(&mutex);
        pthread_cond_signal(&condition);
        pthread_mutex_unlock(&mutex);
        usleep(100);
    }
    return nullptr;
}
void start_helper() {
    helper_stops = false;
    if (pthread_create(&helper, nullptr, signal_until_stopped, nullptr) != 0) abort();
}
void stop_helper() {
    helper_stops = true;
    pthread_join(helper, nullptr);
}
void commit_cond_wait() {
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
}
void lock_mutex() { pthread_mutex_lock(&mutex); }
void commit_cond_timedwait() {
    const timespec until = past();
    pthread_cond_timedwait(&condition, &mutex, &until);
}
void commit_cond_clockwait() {
    const timespec until = past();
    pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
}

void commit_sem_wait() { sem_wait(&semaphore); }
void commit_sem_timedwait() {
    const timespec until = past();
    sem_timedwait(&semaphore, &until);
}
void commit_sem_clockwait() {
    const timespec until = past();
    sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until);
}

void* do_nothing(void*) { return nullptr; }
void start_short_thread() {
    if (pthread_create(&helper, nullptr, do_nothing, nullptr) != 0) abort();
}
void commit_join() { pthread_join(helper, nullptr); }
void make_barrier() { pthread_barrier_init(&barrier, nullptr, 1); }
void commit_barrier() { pthread_barrier_wait(&barrier); }
void unmake_barrier() { pthread_barrier_destroy(&barrier); }

timespec soon() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += 10;
    return now;
}
void commit_timedjoin() {
    const timespec until = soon();
    pthread_timedjoin_np(helper, nullptr, &until);
}
void commit_clockjoin() {
    const timespec until = soon();
    pthread_clockjoin_np(helper, nullptr, CLOCK_REALTIME, &until);
}
bool was_joined = false;
void commit_tryjoin() { was_joined = pthread_tryjoin_np(helper, nullptr) == 0; }
void join_after_try() {
    if (!was_joined) pthread_join(helper, nullptr);
}

pthread_once_t once = PTHREAD_ONCE_INIT;
void nothing() {}
void commit_once() { pthread_once(&once, nothing); }

mtx_t c_mutex;
cnd_t c_condition;
thrd_t c_thread;
once_flag c_once = ONCE_FLAG_INIT;
void make_c_mutex() { mtx_init(&c_mutex, mtx_timed); }
void unmake_c_mutex() {
    mtx_unlock(&c_mutex);
    mtx_destroy(&c_mutex);
}
void commit_mtx_lock() { mtx_lock(&c_mutex); }
void commit_mtx_trylock() { mtx_trylock(&c_mutex); }
void commit_mtx_timedlock() {
    const timespec until = past();
    mtx_timedlock(&c_mutex, &until);
}
int signal_c_until_stopped(void*) {
    while (!helper_stops) {
        mtx_lock(&c_mutex);
        cnd_signal(&c_condition);
        mtx_unlock(&c_mutex);
        usleep(100);
    }
    return 0;
}
void start_c_helper() {
    make_c_mutex();
    cnd_init(&c_condition);
    helper_stops = false;
    if (thrd_create(&c_thread, signal_c_until_stopped, nullptr) != thrd_success) abort();
}
void commit_cnd_wait() {
    mtx_lock(&c_mutex);
    cnd_wait(&c_condition, &c_mutex);
    mtx_unlock(&c_mutex);
}
void stop_c_helper() {
    helper_stops = true;
    thrd_join(c_thread, nullptr);
    cnd_destroy(&c_condition);
    mtx_destroy(&c_mutex);
}
void make_locked_c_mutex() {
    make_c_mutex();
    cnd_init(&c_condition);
    mtx_lock(&c_mutex);
}
void commit_cnd_timedwait() {
    const timespec until = past();
    cnd_timedwait(&c_condition, &c_mutex, &until);
}
void unmake_locked_c_mutex() {
    unmake_c_mutex();
    cnd_destroy(&c_condition);
}
int do_nothing_in_c(void*) { return 0; }
void start_short_c_thread() {
    if (thrd_create(&c_thread, do_nothing_in_c, nullptr) != thrd_success) abort();
}
void commit_thrd_join() { thrd_join(c_thread, nullptr); }
void commit_call_once() { call_once(&c_once, nothing); }

FILE* stream = nullptr;
char text[2] = {};
void open_file() {
    stream = fopen("/dev/null", "r+");
    if (stream == nullptr) abort();
}
void close_file() { fclose(stream); }
void commit_flockfile() { flockfile(stream); }
void commit_ftrylockfile() {
    if (ftrylockfile(stream) != 0) abort();
}
void unlock_and_close_file() {
    funlockfile(stream);
    close_file();
}
void commit_fputc() { fputc('x', stream); }
void commit_putc() { putc('x', stream); }
void commit_fputs() { fputs("x", stream); }
void commit_fwrite() {
    if (fwrite("x", 1, 1, stream) != 1) abort();
}
void commit_fflush() { fflush(stream); }
void commit_fprintf() { fprintf(stream, "%d", 1); }
void commit_fprintf_chk() { __fprintf_chk(stream, 1, "%d", 1); }
void print_list(int (*print)(FILE*, const char*, va_list), const char* format, ...) {
    va_list values;
    va_start(values, format);
    print(stream, format, values);
    va_end(values);
}
void commit_vfprintf() {
    print_list([](FILE* to, const char* f, va_list v) { return vfprintf(to, f, v); }, "%d", 1);
}
void commit_vprintf() {
    print_list([](FILE*, const char* f, va_list v) { return vprintf(f, v); }, "%s", "");
}
void commit_vfprintf_chk() {
    print_list([](FILE* to, const char* f, va_list v) { return __vfprintf_chk(to, 1, f, v); }, "%d", 1);
}
void commit_vprintf_chk() {
    print_list([](FILE*, const char* f, va_list v) { return __vprintf_chk(1, f, v); }, "%s", "");
}
void commit_fgetc() { fgetc(stream); }
void commit_getc() { getc(stream); }
void commit_getchar() { getchar(); }
void commit_fgets() {
    if (fgets(text, sizeof(text), stream) != nullptr) abort();
}
void commit_fread() {
    if (fread(text, 1, 1, stream) != 0) abort();
}
// To the process's own output, which shows where a run failed: one line at most.
void commit_printf() { printf("%s", ""); }
void commit_printf_chk() { __printf_chk(1, "%s", ""); }
void commit_putchar() { putchar('\n'); }
void commit_puts() { puts(""); }

void commit_rand() { rand(); }
void commit_srand() { srand(1); }
void commit_random() { random(); }
void commit_srandom() { srandom(1); }
tm local{};
void commit_localtime() {
    const time_t zero = 0;
    localtime(&zero);
}
void commit_localtime_r() {
    const time_t zero = 0;
    localtime_r(&zero, &local);
}
void commit_mktime() {
    tm date{};
    date.tm_year = 100;
    date.tm_mday = 1;
    mktime(&date);
}
void commit_malloc_trim() { malloc_trim(0); }

void map_fresh_page() {
    void* mapped = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) abort();
    pages = static_cast<volatile char*>(mapped);
}
void commit_page_fault() {
    if (pages != nullptr) pages[0];
}
void unmap_page() {
    if (pages != nullptr) munmap(const_cast<char*>(pages), page);
    pages = nullptr;
}

// A file whose first page is on disk only; on a file system in memory there is none.
bool map_page_on_disk(const char* folder) {
    char path[4096];
    if (folder == nullptr || snprintf(path, sizeof(path), "%s/neutone_like_XXXXXX", folder) >= int(sizeof(path))) {
        return false;
    }
    const int file = mkstemp(path);
    if (file < 0) return false;
    unlink(path);
    static const char content[page] = {1};
    const bool written = write(file, content, page) == ssize_t(page) && fsync(file) == 0;
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    void* mapped = written ? mmap(nullptr, page, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
    close(file);
    if (mapped == MAP_FAILED) return false;
    unsigned char resident = 1;
    if (mincore(mapped, page, &resident) == 0 && (resident & 1) == 0) {
        pages = static_cast<volatile char*>(mapped);
        return true;
    }
    munmap(mapped, page);
    return false;
}
void map_page_on_some_disk() {
    for (const char* folder : {static_cast<const char*>(getenv("TMPDIR")), "/var/tmp", "/tmp", ".",
                               static_cast<const char*>(getenv("HOME"))}) {
        if (map_page_on_disk(folder)) return;
    }
}

void commit_syscall() { syscall(SYS_getppid); }
void commit_futex_wake_up() { syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }
void commit_bounded_wait() {
    const timespec at_once = past();
    syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET_PRIVATE, 0, &at_once, nullptr, FUTEX_BITSET_MATCH_ANY);
}
void commit_sleep() {
    const timespec moment{0, 100'000};
    nanosleep(&moment, nullptr);
}

const neutone_like_rt_control controls[] = {
    {"malloc", nullptr, take, give_back},
    {"calloc", nullptr, commit_calloc, give_back},
    {"realloc", take, commit_realloc, give_back},
    {"reallocarray", take, commit_reallocarray, give_back},
    {"memalign", nullptr, commit_memalign, give_back},
    {"aligned_alloc", nullptr, commit_aligned_alloc, give_back},
    {"posix_memalign", nullptr, commit_posix_memalign, give_back},
    {"valloc", nullptr, commit_valloc, give_back},
    {"pvalloc", nullptr, commit_pvalloc, give_back},
    {"free", take, give_back, nullptr},
    {"pthread_mutex_lock", nullptr, commit_mutex_lock, unlock_mutex},
    {"pthread_mutex_trylock", nullptr, commit_mutex_trylock, unlock_mutex},
    {"pthread_mutex_timedlock", nullptr, commit_mutex_timedlock, unlock_mutex},
    {"pthread_mutex_clocklock", nullptr, commit_mutex_clocklock, unlock_mutex},
    {"pthread_rwlock_rdlock", nullptr, commit_rwlock_rdlock, unlock_rwlock},
    {"pthread_rwlock_tryrdlock", nullptr, commit_rwlock_tryrdlock, unlock_rwlock},
    {"pthread_rwlock_timedrdlock", nullptr, commit_rwlock_timedrdlock, unlock_rwlock},
    {"pthread_rwlock_clockrdlock", nullptr, commit_rwlock_clockrdlock, unlock_rwlock},
    {"pthread_rwlock_wrlock", nullptr, commit_rwlock_wrlock, unlock_rwlock},
    {"pthread_rwlock_trywrlock", nullptr, commit_rwlock_trywrlock, unlock_rwlock},
    {"pthread_rwlock_timedwrlock", nullptr, commit_rwlock_timedwrlock, unlock_rwlock},
    {"pthread_rwlock_clockwrlock", nullptr, commit_rwlock_clockwrlock, unlock_rwlock},
    {"pthread_spin_lock", make_spinlock, commit_spin_lock, unmake_spinlock},
    {"pthread_cond_wait", start_helper, commit_cond_wait, stop_helper},
    {"pthread_cond_timedwait", lock_mutex, commit_cond_timedwait, unlock_mutex},
    {"pthread_cond_clockwait", lock_mutex, commit_cond_clockwait, unlock_mutex},
    {"sem_wait", make_semaphore, commit_sem_wait, unmake_semaphore},
    {"sem_timedwait", make_semaphore, commit_sem_timedwait, unmake_semaphore},
    {"sem_clockwait", make_semaphore, commit_sem_clockwait, unmake_semaphore},
    {"pthread_join", start_short_thread, commit_join, nullptr},
    {"pthread_barrier_wait", make_barrier, commit_barrier, unmake_barrier},
    {"pthread_timedjoin_np", start_short_thread, commit_timedjoin, nullptr},
    {"pthread_clockjoin_np", start_short_thread, commit_clockjoin, nullptr},
    {"pthread_tryjoin_np", start_short_thread, commit_tryjoin, join_after_try},
    {"pthread_once", nullptr, commit_once, nullptr},
    {"mtx_lock", make_c_mutex, commit_mtx_lock, unmake_c_mutex},
    {"mtx_trylock", make_c_mutex, commit_mtx_trylock, unmake_c_mutex},
    {"mtx_timedlock", make_c_mutex, commit_mtx_timedlock, unmake_c_mutex},
    {"cnd_wait", start_c_helper, commit_cnd_wait, stop_c_helper},
    {"cnd_timedwait", make_locked_c_mutex, commit_cnd_timedwait, unmake_locked_c_mutex},
    {"thrd_join", start_short_c_thread, commit_thrd_join, nullptr},
    {"call_once", nullptr, commit_call_once, nullptr},
    {"flockfile", open_file, commit_flockfile, unlock_and_close_file},
    {"ftrylockfile", open_file, commit_ftrylockfile, unlock_and_close_file},
    {"fputc", open_file, commit_fputc, close_file},
    {"putc", open_file, commit_putc, close_file},
    {"fputs", open_file, commit_fputs, close_file},
    {"fwrite", open_file, commit_fwrite, close_file},
    {"fflush", open_file, commit_fflush, close_file},
    {"fprintf", open_file, commit_fprintf, close_file},
    {"vfprintf", open_file, commit_vfprintf, close_file},
    {"vprintf", open_file, commit_vprintf, close_file},
    {"fgetc", open_file, commit_fgetc, close_file},
    {"getc", open_file, commit_getc, close_file},
    {"fgets", open_file, commit_fgets, close_file},
    {"fread", open_file, commit_fread, close_file},
    {"__fprintf_chk", open_file, commit_fprintf_chk, close_file},
    {"__vfprintf_chk", open_file, commit_vfprintf_chk, close_file},
    {"__vprintf_chk", open_file, commit_vprintf_chk, close_file},
    {"printf", nullptr, commit_printf, nullptr},
    {"__printf_chk", nullptr, commit_printf_chk, nullptr},
    {"putchar", nullptr, commit_putchar, nullptr},
    {"puts", nullptr, commit_puts, nullptr},
    {"getchar", nullptr, commit_getchar, nullptr},
    {"rand", nullptr, commit_rand, nullptr},
    {"srand", nullptr, commit_srand, nullptr},
    {"random", nullptr, commit_random, nullptr},
    {"srandom", nullptr, commit_srandom, nullptr},
    {"localtime", nullptr, commit_localtime, nullptr},
    {"localtime_r", nullptr, commit_localtime_r, nullptr},
    {"mktime", nullptr, commit_mktime, nullptr},
    {"malloc_trim", nullptr, commit_malloc_trim, nullptr},
    {"minor_page_faults", map_fresh_page, commit_page_fault, unmap_page},
    {"major_page_faults", map_page_on_some_disk, commit_page_fault, unmap_page},
    {"syscalls", nullptr, commit_syscall, nullptr},
    {"futex_wake_ups", nullptr, commit_futex_wake_up, nullptr},
    {"bounded_waits", nullptr, commit_bounded_wait, nullptr},
    {"voluntary_context_switches", nullptr, commit_sleep, nullptr},
    {nullptr, nullptr, nullptr, nullptr},
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const neutone_like_rt_control* neutone_like_rt_controls() {
    static neutone_like_rt_control all[256];
    neutone_like_rt_control* next = all;
    for (const auto* each = controls; each->counter != nullptr; ++each) *next++ = *each;
    for (const auto* each = neutone_like::realtime_safety::library_controls; each->counter != nullptr; ++each)
        *next++ = *each;
    return all;
}
