"""The C library's own list of what may lock or wait: each is counted, or harmless for a reason that is written here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from neutone_like.realtime_safety.counters import COUNTERS
from support.realtime_safety_tools import needs_linux

pytestmark = needs_linux

LIBRARY = Path("/lib/x86_64-linux-gnu/libc.so.6")
CANDIDATE = re.compile(
    r"(mtx|cnd|thrd|tss)_.*|call_once|pthread_(?!.*attr).*|sem_.*|.*(lock|wait|join|once|barrier|alloc|free|sleep)"
    r"|.*(lockfile|memalign|strn?dup|asprintf|yield|poll|select|futex).*|mq_.*|msg(rcv|snd)|semop|semtimedop|brk|sbrk"
    r"|s?random|s?rand|f?put[cs]|putchar|v?f?printf|fwrite|fread|f?get[cs]|getchar|fflush|localtime(_r)?|mktime"
    r"|f(seek|tell)o?(64)?|rewind|f[gs]etpos(64)?|ungetw?c|f?(get|put)w?[cs]|(get|put)wchar|(get|put)w|feof|ferror"
    r"|clearerr|setv?buf(fer)?|setlinebuf|perror|getline|(__)?getdelim|(__isoc(99|23)_)?v?f?w?scanf|v?f?wprintf"
    r"|__v?f?w?printf_chk|__(fgets|fread)_chk|gmtime(_r)?|timegm|tzset|ctime(_r)?|(str|wcs)ftime(_l)?|initstate|setstate"
    r"|(un)?setenv|putenv|clearenv|(set|new|dup)locale|d?c?n?gettext|(bind)?textdomain|mallopt|mallinfo2?|malloc_.*"
    r"|__cxa_atexit|on_exit|readdir(64)?|telldir|dladdr|dl_iterate_phdr"
)
HARMLESS = {
    "gives a lock back, or makes or ends one; what that wakes is a system call": r"(pthread_(mutex|rwlock|spin)_unlock"
    r"|mtx_unlock|sem_post|funlockfile|(pthread_(cond|mutex|rwlock|spin|barrier)|mtx|cnd|sem)_(init|destroy|close|unlink)"
    r"|pthread_cond_(signal|broadcast)|cnd_(signal|broadcast))",
    "tries once, and takes what needs no one to wake": r"sem_trywait|pthread_spin_trylock|sem_getvalue",
    "always is a system call, which is counted": r"(clock_)?(nano|u)?sleep|.*poll.*|.*p?select|epoll_.*|fd_.*"
    r"|thrd_(sleep|yield)|sched_yield|pthread_yield|wait(pid|id|3|4)?|sigblock|mq_.*|msg.*|sem(timed)?op|flock"
    r"|lockf(64)?|m(un)?lock|sem_open|brk|sbrk|pthread_kill|pthread_sigqueue|pthread_cancel|futex.*|sigwait.*|sigtimedwait"
    r"|pkey_alloc|posix_fallocate(64)?|fallocate(64)?|clock|pthread_(get|set)(affinity_np|schedparam|name_np|schedprio)",
    "starts a thread, which is a system call": r"pthread_create|thrd_create",
    "asks its memory from malloc, which is counted": r"(__)?strn?dup|v?asprintf|__v?asprintf_chk|.*obstack.*"
    r"|open_memstream|freeaddrinfo|freeifaddrs|globfree(64)?|wordfree|regfree|cfree|.*_free|inet6_option_alloc|re_.*"
    r"|.*xdr.*",
    "reads or writes what belongs to the thread": r"pthread_(self|equal|getspecific|setspecific|setcancel.*|testcancel"
    r"|sigmask|exit|detach|getconcurrency|setconcurrency|getcpuclockid)|thrd_(current|equal|detach|exit)|tss_.*"
    r"|pthread_key_.*",
    "belongs to setting up, and holds nothing that a callback waits for": r"pthread_(atfork|condattr_[gs]etclock"
    r"|mutex_(consistent(_np)?|[gs]etprioceiling)|kill_other_threads_np)|clearenv|malloc_(stats|usable_size)",
    "is the C library's own, not for programs": r"_(?!_(getdelim|cxa_atexit|isoc|\w*_chk)).*|clnt.*|svc.*|key_.*"
    r"|.*_hook",
    "can't be linked with any more": r"gets",
}


def exported() -> set[str]:
    if shutil.which("nm") is None or not LIBRARY.exists():
        pytest.skip("needs binutils, and the C library where Debian has it")
    listed = subprocess.run(["nm", "-D", "--defined-only", str(LIBRARY)], capture_output=True, text=True, check=True)
    entries = [line.split() for line in listed.stdout.splitlines()]
    return {name.split("@")[0] for _, kind, name in entries if kind in "TWi"}


def test_whatever_may_lock_or_wait_is_counted_or_harmless() -> None:
    candidates = {name for name in exported() if CANDIDATE.fullmatch(name)}
    assert {"mtx_lock", "pthread_mutex_lock", "malloc", "poll", "rand"} <= candidates, "the search finds what it is for"
    unknown = {
        name
        for name in candidates - set(COUNTERS)
        if not any(re.fullmatch(pattern, name) for pattern in HARMLESS.values())
    }
    assert unknown == set()


def test_nothing_that_is_counted_is_called_harmless() -> None:
    functions = {name for name in COUNTERS if not name.startswith("__")} - {
        "futex_wake_ups"
    }  # what headers make of printf
    assert not {name for name in functions for reason in HARMLESS.values() if re.fullmatch(reason, name)}
