// A callback that commits one offence, named by OFFENCE, in every callback; or, by OFFENCE_WHERE, the same while it is
// being prepared, or on a thread of its own all the time. Each offence has a function of its own, so that a stack names
// it. What is asked of the system has to give the right answers, too.
#include <dirent.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <stdarg.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "neutone_like/realtime_callback.h"

extern "C" {  // what the functions for messages become with _FORTIFY_SOURCE
int __printf_chk(int, const char*, ...);
int __fprintf_chk(FILE*, int, const char*, ...);
int __vprintf_chk(int, const char*, va_list);
int __vfprintf_chk(FILE*, int, const char*, va_list);
}

#define OFFENCE(name) __attribute__((noinline)) static void offend_with_##name()

namespace {

void* volatile memory;  // volatile, so that nothing is optimised away
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
pthread_spinlock_t spinlock;
pthread_barrier_t barrier;
sem_t semaphore;
std::mutex standard_mutex;
std::atomic<bool> offending_ends{false}, signalling_ends{false};
std::atomic<int> callback_number{0};
std::thread signaller, offending_thread;
std::vector<pthread_t> short_threads;
size_t joined = 0;
std::vector<void*> to_free;
size_t freed = 0;
volatile char* fresh_pages = nullptr;
size_t next_page = 0;
volatile char* page_on_disk = nullptr;
int pipe_ends[2];
pid_t parent;
int futex_word = 0;
mtx_t c_mutex;
cnd_t c_condition;
once_flag c_once = ONCE_FLAG_INIT;
pthread_once_t posix_once = PTHREAD_ONCE_INIT;
std::vector<thrd_t> short_c_threads;
FILE* stream = nullptr;  // its buffer is larger than all that these tests write
char text[2];

constexpr size_t page = 4096;
constexpr size_t pages = 100000;

void require(bool truth) {
    if (!truth) abort();
}

timespec long_ago() { return {1, 0}; }

OFFENCE(nothing) {}
OFFENCE(malloc) {
    memory = malloc(100);
}
OFFENCE(calloc) { memory = calloc(10, 10); }
OFFENCE(realloc) { memory = realloc(memory, 200); }
OFFENCE(reallocarray) { memory = reallocarray(memory, 20, 10); }
OFFENCE(memalign) { memory = memalign(128, 100); }
OFFENCE(aligned_alloc) { memory = aligned_alloc(128, 256); }
OFFENCE(posix_memalign) {
    void* taken = nullptr;
    require(posix_memalign(&taken, 256, 100) == 0 && reinterpret_cast<size_t>(taken) % 256 == 0);
    memory = taken;
}
OFFENCE(valloc) { memory = valloc(100); }
OFFENCE(pvalloc) { memory = pvalloc(100); }
OFFENCE(free) {
    if (freed < to_free.size()) free(to_free[freed++]);
    free(nullptr);
}
OFFENCE(pthread_mutex_lock) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_mutex_trylock) {
    require(pthread_mutex_trylock(&mutex) == 0);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_mutex_timedlock) {
    const timespec until = long_ago();
    require(pthread_mutex_timedlock(&mutex, &until) == 0);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_mutex_clocklock) {
    const timespec until = long_ago();
    require(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &until) == 0);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_rwlock_rdlock) {
    pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_tryrdlock) {
    require(pthread_rwlock_tryrdlock(&rwlock) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_timedrdlock) {
    const timespec until = long_ago();
    require(pthread_rwlock_timedrdlock(&rwlock, &until) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_clockrdlock) {
    const timespec until = long_ago();
    require(pthread_rwlock_clockrdlock(&rwlock, CLOCK_MONOTONIC, &until) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_wrlock) {
    pthread_rwlock_wrlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_trywrlock) {
    require(pthread_rwlock_trywrlock(&rwlock) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_timedwrlock) {
    const timespec until = long_ago();
    require(pthread_rwlock_timedwrlock(&rwlock, &until) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_rwlock_clockwrlock) {
    const timespec until = long_ago();
    require(pthread_rwlock_clockwrlock(&rwlock, CLOCK_MONOTONIC, &until) == 0);
    pthread_rwlock_unlock(&rwlock);
}
OFFENCE(pthread_spin_lock) {
    pthread_spin_lock(&spinlock);
    pthread_spin_unlock(&spinlock);
}
OFFENCE(pthread_cond_wait) {
    pthread_mutex_lock(&mutex);
    pthread_cond_wait(&condition, &mutex);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_cond_timedwait) {
    const timespec until = long_ago();
    pthread_mutex_lock(&mutex);
    const int result = pthread_cond_timedwait(&condition, &mutex, &until);
    require(result == ETIMEDOUT || result == 0);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(pthread_cond_clockwait) {
    const timespec until = long_ago();
    pthread_mutex_lock(&mutex);
    const int result = pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &until);
    require(result == ETIMEDOUT || result == 0);
    pthread_mutex_unlock(&mutex);
}
OFFENCE(sem_wait) {
    sem_wait(&semaphore);
    sem_post(&semaphore);
}
OFFENCE(sem_timedwait) {
    const timespec until = long_ago();
    require(sem_timedwait(&semaphore, &until) == 0);
    sem_post(&semaphore);
}
OFFENCE(sem_clockwait) {
    const timespec until = long_ago();
    require(sem_clockwait(&semaphore, CLOCK_MONOTONIC, &until) == 0);
    sem_post(&semaphore);
}
OFFENCE(pthread_join) {
    if (joined < short_threads.size()) pthread_join(short_threads[joined++], nullptr);
}
OFFENCE(pthread_barrier_wait) { pthread_barrier_wait(&barrier); }
OFFENCE(minor_page_faults) {
    if (next_page < pages) fresh_pages[page * next_page++] = 1;
}
OFFENCE(major_page_faults) {
    if (callback_number == 150 || callback_number == 0) page_on_disk[0];
}
OFFENCE(syscalls) {
    char letter = 0;
    require(write(pipe_ends[1], "x", 1) == 1 && read(pipe_ends[0], &letter, 1) == 1 && letter == 'x');
    require(syscall(SYS_getppid) == parent);
    require(close(-1) == -1 && errno == EBADF);
}
OFFENCE(futex_wake_ups) { syscall(SYS_futex, &futex_word, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0); }
OFFENCE(two_futex_wake_ups) {
    offend_with_futex_wake_ups();
    offend_with_futex_wake_ups();
}
OFFENCE(bounded_waits) {
    const timespec past{1, 0};
    syscall(SYS_futex, &futex_word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, nullptr, FUTEX_BITSET_MATCH_ANY);
}
OFFENCE(voluntary_context_switches) {
    const timespec moment{0, 10000};
    nanosleep(&moment, nullptr);
}

// The C library's own threads, and its functions with a lock inside.
timespec later() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += 10;
    return now;
}
OFFENCE(pthread_timedjoin_np) {
    const timespec until = later();
    if (joined < short_threads.size()) pthread_timedjoin_np(short_threads[joined++], nullptr, &until);
}
OFFENCE(pthread_clockjoin_np) {
    const timespec until = later();
    if (joined < short_threads.size()) pthread_clockjoin_np(short_threads[joined++], nullptr, CLOCK_REALTIME, &until);
}
OFFENCE(pthread_tryjoin_np) {
    if (joined < short_threads.size()) pthread_tryjoin_np(short_threads[joined++], nullptr);
}
OFFENCE(pthread_once) { pthread_once(&posix_once, [] {}); }
OFFENCE(mtx_lock) {
    mtx_lock(&c_mutex);
    mtx_unlock(&c_mutex);
}
OFFENCE(mtx_trylock) {
    require(mtx_trylock(&c_mutex) == thrd_success);
    mtx_unlock(&c_mutex);
}
OFFENCE(mtx_timedlock) {
    const timespec until = long_ago();
    require(mtx_timedlock(&c_mutex, &until) == thrd_success);
    mtx_unlock(&c_mutex);
}
OFFENCE(cnd_wait) {
    mtx_lock(&c_mutex);
    cnd_wait(&c_condition, &c_mutex);
    mtx_unlock(&c_mutex);
}
OFFENCE(cnd_timedwait) {
    const timespec until = long_ago();
    mtx_lock(&c_mutex);
    const int result = cnd_timedwait(&c_condition, &c_mutex, &until);
    require(result == thrd_timedout || result == thrd_success);
    mtx_unlock(&c_mutex);
}
OFFENCE(thrd_join) {
    if (joined < short_c_threads.size()) thrd_join(short_c_threads[joined++], nullptr);
}
OFFENCE(call_once) { call_once(&c_once, [] {}); }
OFFENCE(flockfile) {
    flockfile(stream);
    funlockfile(stream);
}
OFFENCE(ftrylockfile) {
    require(ftrylockfile(stream) == 0);
    funlockfile(stream);
}
OFFENCE(fputc) { fputc('x', stream); }
OFFENCE(putc) { putc('x', stream); }
int (*volatile put)(int) = putchar;  // by its address, because headers replace the call by another
OFFENCE(putchar) { put('x'); }
OFFENCE(fputs) { fputs("x", stream); }
OFFENCE(puts) { puts("x"); }
OFFENCE(fwrite) { require(fwrite("x", 1, 1, stream) == 1); }
OFFENCE(fflush) { require(fflush(stream) == 0); }
OFFENCE(printf) { require(printf("%d%s", 10, "x") == 3); }
OFFENCE(fprintf) { require(fprintf(stream, "%d%s", 10, "x") == 3); }
OFFENCE(__printf_chk) { require(__printf_chk(1, "%d%s", 10, "x") == 3); }
OFFENCE(__fprintf_chk) { require(__fprintf_chk(stream, 1, "%d%s", 10, "x") == 3); }
template <typename Print>
int print_list(Print print, ...) {
    va_list values;
    va_start(values, print);
    const int printed = print(values);
    va_end(values);
    return printed;
}
int (*volatile print_to_output)(const char*, va_list) = vprintf;
OFFENCE(vprintf) { print_list([](va_list values) { return print_to_output("%d", values); }, 1); }
OFFENCE(vfprintf) { print_list([](va_list values) { return vfprintf(stream, "%d", values); }, 1); }
OFFENCE(__vprintf_chk) { print_list([](va_list values) { return __vprintf_chk(1, "%d", values); }, 1); }
OFFENCE(__vfprintf_chk) { print_list([](va_list values) { return __vfprintf_chk(stream, 1, "%d", values); }, 1); }
OFFENCE(fgetc) { fgetc(stream); }
OFFENCE(getc) { getc(stream); }
int (*volatile get)() = getchar;
OFFENCE(getchar) { get(); }
OFFENCE(fgets) { require(fgets(text, sizeof(text), stream) == nullptr); }
OFFENCE(fread) { require(fread(text, 1, 1, stream) == 0); }
OFFENCE(rand) { rand(); }
OFFENCE(srand) { srand(1); }
OFFENCE(random) { random(); }
OFFENCE(srandom) { srandom(1); }
OFFENCE(localtime) {
    const time_t start = 0;
    require(localtime(&start) != nullptr);
}
OFFENCE(localtime_r) {
    const time_t start = 0;
    tm date{};
    require(localtime_r(&start, &date) == &date && date.tm_year >= 69);
}
OFFENCE(mktime) {
    tm date{};
    date.tm_year = 100;
    date.tm_mday = 1;
    require(mktime(&date) > 0);
}
OFFENCE(malloc_trim) { malloc_trim(0); }

// What people write, rather than what the C library calls it.
OFFENCE(vector_growth) {
    std::vector<float> samples;
    samples.push_back(1.0f);
    memory = samples.data();
}
OFFENCE(standard_mutex) { const std::lock_guard<std::mutex> guard(standard_mutex); }
OFFENCE(print) {
    fprintf(stderr, "%d\n", callback_number.load());
    fflush(stderr);
}
OFFENCE(exception) {
    try {
        throw std::runtime_error("caught");
    } catch (const std::runtime_error& error) {
        memory = const_cast<char*>(error.what());
    }
}
OFFENCE(thread) {
    std::thread([] {}).join();
}
OFFENCE(fork) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    int status = 0;
    require(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
}
volatile sig_atomic_t signals = 0;
OFFENCE(signal) {
    const int before = signals;
    signal(SIGUSR2, [](int) { signals = signals + 1; });
    raise(SIGUSR2);
    require(signals == before + 1);
}
OFFENCE(yield) { sched_yield(); }
OFFENCE(crash) {
    if (callback_number == 150) *static_cast<volatile int*>(nullptr) = 1;
}
OFFENCE(overflow) {
    volatile char frame[4096];
    frame[0] = 1;
    if (callback_number == 150) offend_with_overflow();
    frame[1] = frame[0];
}
OFFENCE(abort) {
    if (callback_number == 150) abort();
}
OFFENCE(exit) {
    if (callback_number == 150) _exit(7);
}
OFFENCE(end_the_thread) {
    if (callback_number == 150) pthread_exit(nullptr);
}
OFFENCE(hang) {
    while (callback_number >= 150) {
    }
}
OFFENCE(sleep) {
    if (callback_number == 150) pause();
}

struct Offence {
    const char* name;
    void (*commit)();
};

#define ENTRY(name) {#name, offend_with_##name}
const Offence offences[] = {
    ENTRY(malloc), ENTRY(calloc), ENTRY(realloc), ENTRY(reallocarray), ENTRY(memalign), ENTRY(aligned_alloc),
    ENTRY(posix_memalign), ENTRY(valloc), ENTRY(pvalloc), ENTRY(free), ENTRY(pthread_mutex_lock),
    ENTRY(pthread_mutex_trylock), ENTRY(pthread_mutex_timedlock), ENTRY(pthread_mutex_clocklock),
    ENTRY(pthread_rwlock_rdlock), ENTRY(pthread_rwlock_tryrdlock), ENTRY(pthread_rwlock_timedrdlock),
    ENTRY(pthread_rwlock_clockrdlock), ENTRY(pthread_rwlock_wrlock), ENTRY(pthread_rwlock_trywrlock),
    ENTRY(pthread_rwlock_timedwrlock), ENTRY(pthread_rwlock_clockwrlock), ENTRY(pthread_spin_lock),
    ENTRY(pthread_cond_wait), ENTRY(pthread_cond_timedwait), ENTRY(pthread_cond_clockwait), ENTRY(sem_wait),
    ENTRY(sem_timedwait), ENTRY(sem_clockwait), ENTRY(pthread_join), ENTRY(pthread_barrier_wait),
    ENTRY(minor_page_faults), ENTRY(major_page_faults), ENTRY(syscalls), ENTRY(futex_wake_ups), ENTRY(bounded_waits),
    ENTRY(voluntary_context_switches),
    ENTRY(pthread_timedjoin_np), ENTRY(pthread_clockjoin_np), ENTRY(pthread_tryjoin_np), ENTRY(pthread_once),
    ENTRY(mtx_lock), ENTRY(mtx_trylock), ENTRY(mtx_timedlock), ENTRY(cnd_wait), ENTRY(cnd_timedwait),
    ENTRY(thrd_join), ENTRY(call_once), ENTRY(flockfile), ENTRY(ftrylockfile), ENTRY(fputc), ENTRY(putc),
    ENTRY(putchar), ENTRY(fputs), ENTRY(puts), ENTRY(fwrite), ENTRY(fflush), ENTRY(printf), ENTRY(fprintf),
    ENTRY(__printf_chk), ENTRY(__fprintf_chk), ENTRY(vprintf), ENTRY(vfprintf), ENTRY(__vprintf_chk),
    ENTRY(__vfprintf_chk), ENTRY(fgetc), ENTRY(getc), ENTRY(getchar), ENTRY(fgets), ENTRY(fread), ENTRY(rand),
    ENTRY(srand), ENTRY(random), ENTRY(srandom), ENTRY(localtime), ENTRY(localtime_r), ENTRY(mktime),
    ENTRY(malloc_trim),
    // The list of counters ends here; these are not part of "all".
    ENTRY(nothing), ENTRY(two_futex_wake_ups), ENTRY(vector_growth), ENTRY(standard_mutex), ENTRY(print),
    ENTRY(exception), ENTRY(thread), ENTRY(fork), ENTRY(signal), ENTRY(yield), ENTRY(crash), ENTRY(overflow),
    ENTRY(abort), ENTRY(exit), ENTRY(end_the_thread), ENTRY(hang), ENTRY(sleep),
};
constexpr size_t counters = 77;

bool is(const char* variable, const char* value) {
    const char* given = getenv(variable);
    return given != nullptr && strcmp(given, value) == 0;
}

const Offence* chosen = nullptr;
bool in_callback = false;

void commit_chosen() {
    if (chosen != nullptr) return chosen->commit();
    for (size_t index = 0; index < counters; ++index) offences[index].commit();
}

void map_page_on_disk() {
    char path[] = "/var/tmp/neutone_like_test_XXXXXX";
    const int file = mkstemp(path);
    require(file >= 0 && unlink(path) == 0);
    const std::vector<char> content(page, 1);
    require(write(file, content.data(), page) == ssize_t(page) && fsync(file) == 0);
    posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    void* mapped = mmap(nullptr, page, PROT_READ, MAP_PRIVATE, file, 0);
    require(mapped != MAP_FAILED);
    page_on_disk = static_cast<volatile char*>(mapped);
    close(file);
}

void arrange() {
    parent = getppid();
    require(pipe(pipe_ends) == 0);
    sem_init(&semaphore, 0, 1);
    pthread_spin_init(&spinlock, PTHREAD_PROCESS_PRIVATE);
    pthread_barrier_init(&barrier, nullptr, 1);
    void* mapped = mmap(nullptr, page * pages, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(mapped != MAP_FAILED && madvise(mapped, page * pages, MADV_NOHUGEPAGE) == 0);
    fresh_pages = static_cast<volatile char*>(mapped);
    if (chosen == nullptr || is("OFFENCE", "major_page_faults")) map_page_on_disk();
    void* refused = nullptr;
    require(posix_memalign(&refused, 3, 100) == EINVAL && refused == nullptr);
    for (int index = 0; index < 300; ++index) to_free.push_back(malloc(10));
    const char* offence = chosen == nullptr ? "join" : chosen->name;
    if (strstr(offence, "join") != nullptr) short_threads.resize(300);
    if (strstr(offence, "thrd_join") != nullptr) short_c_threads.resize(300);
    for (thrd_t& each : short_c_threads) thrd_create(&each, [](void*) { return 0; }, nullptr);
    mtx_init(&c_mutex, mtx_timed);
    cnd_init(&c_condition);
    stream = fopen("/dev/null", "r+");
    require(stream != nullptr && setvbuf(stream, nullptr, _IOFBF, 1 << 16) == 0);
    for (pthread_t& each : short_threads) {
        pthread_create(&each, nullptr, [](void* nothing) { return nothing; }, nullptr);
    }
    signaller = std::thread([] {
        while (!signalling_ends) {
            pthread_cond_broadcast(&condition);
            cnd_broadcast(&c_condition);
            usleep(20);
        }
    });
}

int instance = 0;

}  // namespace

void* neutone_like_callback_create(void) {
    if (is("OFFENCE_WHERE", "create")) return nullptr;
    return &instance;
}

int32_t neutone_like_callback_prepare(void*, double, int32_t, int32_t channels) {
    for (const Offence& each : offences) {
        if (is("OFFENCE", each.name)) chosen = &each;
    }
    require(chosen != nullptr || is("OFFENCE", "all"));
    if (channels > 2) return 5;
    in_callback = !is("OFFENCE_WHERE", "prepare") && !is("OFFENCE_WHERE", "thread");
    if (is("OFFENCE_WHERE", "prepare_150")) callback_number = 150;
    arrange();
    if (!in_callback || callback_number == 150) commit_chosen();
    if (is("OFFENCE_WHERE", "thread")) {
        offending_thread = std::thread([] {
            while (!offending_ends) commit_chosen();
        });
    }
    return 0;
}

void neutone_like_callback_process(void*, const float* const* in, float* const* out, int32_t samples) {
    ++callback_number;
    for (int32_t index = 0; index < samples; ++index) out[0][index] = 0.5f * in[0][index];
    if (in_callback) commit_chosen();
}

void neutone_like_callback_destroy(void*) {
    offending_ends = true;
    if (offending_thread.joinable()) offending_thread.join();
    signalling_ends = true;
    signaller.join();
}
