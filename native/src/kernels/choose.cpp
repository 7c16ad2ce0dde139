// Picks the kernels that this processor runs.
#include "kernels/kernel.hpp"

namespace neutone_like::compiled {

namespace {

bool same(const char* a, const char* b) noexcept {
    while (*a != '\0' && *a == *b) ++a, ++b;
    return *a == *b;
}

#if defined(__x86_64__) || defined(_M_X64)
// What __builtin_cpu_supports says includes that the operating system keeps the wide registers.
bool has_v3() noexcept {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
}

bool has_v4() noexcept {
    return has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
}
#endif

}  // namespace

const KernelTable& best_kernels() noexcept {
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_cpu_init();
    if (has_v4()) return v4_kernels();
    if (has_v3()) return v3_kernels();
#endif
    return baseline_kernels();
}

const KernelTable* kernels_named(const char* name) noexcept {
    if (same(name, baseline_kernels().name)) return &baseline_kernels();
#if defined(__x86_64__) || defined(_M_X64)
    __builtin_cpu_init();
    if (has_v3() && same(name, v3_kernels().name)) return &v3_kernels();
    if (has_v4() && same(name, v4_kernels().name)) return &v4_kernels();
#endif
    return nullptr;
}

}  // namespace neutone_like::compiled
