"""What is counted, in groups as a reader thinks of them, and what to do about each."""

from dataclasses import dataclass

FUTEX_WAKE_UPS = "futex_wake_ups"
BOUNDED_WAITS = "bounded_waits"
SWITCHES = "voluntary_context_switches"
PAGE_FAULTS = ("minor_page_faults", "major_page_faults")
# Newer than some C libraries that this runs with.
OPTIONAL_COUNTERS = (
    "pthread_mutex_clocklock",
    "pthread_rwlock_clockrdlock",
    "pthread_rwlock_clockwrlock",
    "pthread_cond_clockwait",
    "sem_clockwait",
    "pthread_clockjoin_np",
    "mtx_lock",
    "mtx_trylock",
    "mtx_timedlock",
    "cnd_wait",
    "cnd_timedwait",
    "thrd_join",
    "call_once",
    "mallinfo2",
    "__isoc23_scanf",
    "__isoc23_fscanf",
    "__isoc23_vscanf",
    "__isoc23_vfscanf",
    "__isoc23_wscanf",
    "__isoc23_fwscanf",
    "__isoc23_vwscanf",
    "__isoc23_vfwscanf",
    "__cxa_guard_acquire",
)

# fmt: off
_STREAMS = (
    "fseek", "fseeko", "fseeko64", "ftell", "ftello", "ftello64", "rewind", "fgetpos", "fgetpos64", "fsetpos",
    "fsetpos64", "ungetc", "getline", "getdelim", "__getdelim", "getw", "putw", "feof", "ferror", "clearerr",
    "setbuf", "setbuffer", "setlinebuf", "setvbuf", "perror", "__fgets_chk", "__fread_chk", "scanf", "fscanf",
    "vscanf", "vfscanf", "wscanf", "fwscanf", "vwscanf", "vfwscanf", "__isoc99_scanf", "__isoc99_fscanf",
    "__isoc99_vscanf", "__isoc99_vfscanf", "__isoc99_wscanf", "__isoc99_fwscanf", "__isoc99_vwscanf",
    "__isoc99_vfwscanf", "__isoc23_scanf", "__isoc23_fscanf", "__isoc23_vscanf", "__isoc23_vfscanf",
    "__isoc23_wscanf", "__isoc23_fwscanf", "__isoc23_vwscanf", "__isoc23_vfwscanf",
)
_WIDE_STREAMS = (
    "fputwc", "putwc", "putwchar", "fputws", "fgetwc", "getwc", "getwchar", "fgetws", "ungetwc", "wprintf",
    "fwprintf", "vwprintf", "vfwprintf", "__wprintf_chk", "__fwprintf_chk", "__vwprintf_chk", "__vfwprintf_chk",
)
_SETTINGS = (
    "gmtime", "gmtime_r", "timegm", "tzset", "ctime", "ctime_r", "strftime", "strftime_l", "wcsftime", "wcsftime_l",
    "initstate", "setstate", "setenv", "unsetenv", "putenv", "setlocale", "newlocale", "duplocale", "freelocale",
    "gettext", "dgettext", "dcgettext", "ngettext", "dngettext", "dcngettext", "textdomain", "bindtextdomain",
    "mallopt", "mallinfo", "mallinfo2", "malloc_info", "__cxa_atexit", "on_exit", "readdir", "readdir64", "telldir",
    "dladdr", "dl_iterate_phdr",
)
# fmt: on
OF_THE_LIBRARY = (*_STREAMS, *_WIDE_STREAMS, *_SETTINGS, "__cxa_guard_acquire")
"""Functions of the C and C++ libraries that hold a lock of their own, and need not ask the system for anything."""


@dataclass(frozen=True)
class CounterGroup:
    """Counters that mean the same to a reader; their names are the functions' where they count calls."""

    title: str
    counters: tuple[str, ...]
    advice: str


_TAKE_EARLIER = "Take all memory before the audio starts, and give it back after it ends."
_NO_LOCKS = "Hand values over with atomics or a lock-free queue: the other thread may be asleep with the lock."
_NO_CALLS = "Leave files, messages, sleep and threads to another thread, fed by a lock-free queue."

GROUPS = (
    CounterGroup(
        "allocations",
        (
            "malloc",
            "calloc",
            "realloc",
            "reallocarray",
            "memalign",
            "aligned_alloc",
            "posix_memalign",
            "valloc",
            "pvalloc",
        ),
        _TAKE_EARLIER,
    ),
    CounterGroup("frees", ("free",), _TAKE_EARLIER),
    CounterGroup(
        "mutex locks",
        (
            "pthread_mutex_lock",
            "pthread_mutex_trylock",
            "pthread_mutex_timedlock",
            "pthread_mutex_clocklock",
            "mtx_lock",
            "mtx_trylock",
            "mtx_timedlock",
        ),
        _NO_LOCKS,
    ),
    CounterGroup(
        "other locks",
        (
            "pthread_rwlock_rdlock",
            "pthread_rwlock_tryrdlock",
            "pthread_rwlock_timedrdlock",
            "pthread_rwlock_clockrdlock",
            "pthread_rwlock_wrlock",
            "pthread_rwlock_trywrlock",
            "pthread_rwlock_timedwrlock",
            "pthread_rwlock_clockwrlock",
            "pthread_spin_lock",
            "pthread_once",
            "call_once",
        ),
        _NO_LOCKS,
    ),
    CounterGroup(
        "things made at their first use",
        ("__cxa_guard_acquire",),
        "A static variable in a function is made behind a lock: use it once before the audio starts.",
    ),
    CounterGroup(
        "files and messages",
        (
            "flockfile",
            "ftrylockfile",
            "fputc",
            "putc",
            "putchar",
            "fputs",
            "puts",
            "fwrite",
            "fflush",
            "printf",
            "fprintf",
            "vprintf",
            "vfprintf",
            "__printf_chk",
            "__fprintf_chk",
            "__vprintf_chk",
            "__vfprintf_chk",
            "fgetc",
            "getc",
            "getchar",
            "fgets",
            "fread",
            *_STREAMS,
            *_WIDE_STREAMS,
        ),
        _NO_CALLS,
    ),
    CounterGroup(
        "locks of the C library",
        ("rand", "srand", "random", "srandom", "localtime", "localtime_r", "mktime", "malloc_trim", *_SETTINGS),
        "They share one state among all threads, behind a lock: keep a generator, and the time zone, of your own.",
    ),
    CounterGroup(
        "waits",
        (
            "pthread_cond_wait",
            "pthread_cond_timedwait",
            "pthread_cond_clockwait",
            "sem_wait",
            "sem_timedwait",
            "sem_clockwait",
            "cnd_wait",
            "cnd_timedwait",
            "pthread_join",
            "pthread_timedjoin_np",
            "pthread_clockjoin_np",
            "pthread_tryjoin_np",
            "thrd_join",
            "pthread_barrier_wait",
        ),
        "The audio thread waits for nobody: use what is ready, and count what is not.",
    ),
    CounterGroup(
        "minor page faults",
        ("minor_page_faults",),
        "Write to all memory once before the audio starts, the stack included; memory alone is only a promise.",
    ),
    CounterGroup(
        "major page faults",
        ("major_page_faults",),
        "Read all data into memory before the audio starts, and lock it there (mlock).",
    ),
    CounterGroup("system calls", ("syscalls",), _NO_CALLS),
    CounterGroup(
        "futex wake-ups",
        (FUTEX_WAKE_UPS,),
        "Wake another thread at most once a callback, and declare it (event wake-up), or let it poll.",
    ),
    CounterGroup(
        "bounded waits",
        (BOUNDED_WAITS,),
        "Wait at most once a callback, for a declared part of its block (wait_fraction), or use what is ready.",
    ),
    CounterGroup("voluntary context switches", (SWITCHES,), _NO_CALLS),
)

COUNTERS = tuple(counter for group in GROUPS for counter in group.counters)
