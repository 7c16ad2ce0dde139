// malloc and its relatives: counted, then served by the C library under its other names. operator new and delete end
// here too.
#include <errno.h>
#include <stddef.h>

#include "thread_state.hpp"

#define NEUTONE_LIKE_EXPORT extern "C" __attribute__((visibility("default")))

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void* __libc_valloc(size_t);
void* __libc_pvalloc(size_t);
void __libc_free(void*);
}

namespace {

using neutone_like::realtime_safety::count;
using neutone_like::realtime_safety::Counter;

bool is_power_of_two(size_t number) { return number != 0 && (number & (number - 1)) == 0; }

}  // namespace

NEUTONE_LIKE_EXPORT void* malloc(size_t size) noexcept {
    count(Counter::malloc);
    return __libc_malloc(size);
}

NEUTONE_LIKE_EXPORT void* calloc(size_t number, size_t size) noexcept {
    count(Counter::calloc);
    return __libc_calloc(number, size);
}

NEUTONE_LIKE_EXPORT void* realloc(void* memory, size_t size) noexcept {
    count(Counter::realloc);
    return __libc_realloc(memory, size);
}

NEUTONE_LIKE_EXPORT void* reallocarray(void* memory, size_t number, size_t size) noexcept {
    count(Counter::reallocarray);
    size_t bytes = 0;
    if (__builtin_mul_overflow(number, size, &bytes)) {
        errno = ENOMEM;
        return nullptr;
    }
    return __libc_realloc(memory, bytes);
}

NEUTONE_LIKE_EXPORT void* memalign(size_t alignment, size_t size) noexcept {
    count(Counter::memalign);
    return __libc_memalign(alignment, size);
}

NEUTONE_LIKE_EXPORT void* aligned_alloc(size_t alignment, size_t size) noexcept {
    count(Counter::aligned_alloc);
    return __libc_memalign(alignment, size);
}

NEUTONE_LIKE_EXPORT int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
    count(Counter::posix_memalign);
    if (alignment % sizeof(void*) != 0 || !is_power_of_two(alignment)) return EINVAL;
    const int saved_errno = errno;
    void* taken = __libc_memalign(alignment, size);
    errno = saved_errno;
    if (taken == nullptr) return ENOMEM;
    *memory = taken;
    return 0;
}

NEUTONE_LIKE_EXPORT void* valloc(size_t size) noexcept {
    count(Counter::valloc);
    return __libc_valloc(size);
}

NEUTONE_LIKE_EXPORT void* pvalloc(size_t size) noexcept {
    count(Counter::pvalloc);
    return __libc_pvalloc(size);
}

NEUTONE_LIKE_EXPORT void free(void* memory) noexcept {
    if (memory != nullptr) count(Counter::free);
    __libc_free(memory);
}
