// Numbers too small to be heard, which cost 10 to 100 times as much as others.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

namespace neutone_like {

// Denormals are zero while this lives, on this thread. WebAssembly has no such switch.
class FlushDenormals {
public:
    FlushDenormals() noexcept : before_(read()) { write(before_ | kBits); }
    ~FlushDenormals() { write(before_); }
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
#if defined(__x86_64__) || defined(_M_X64)
    static constexpr uint64_t kBits = 0x8040;  // FTZ and DAZ
    static uint64_t read() noexcept { return _mm_getcsr(); }
    static void write(uint64_t value) noexcept { _mm_setcsr(static_cast<unsigned>(value)); }
#elif defined(__aarch64__)
    static constexpr uint64_t kBits = 1u << 24;  // FZ
    static uint64_t read() noexcept {
        uint64_t value;
        asm volatile("mrs %0, fpcr" : "=r"(value));
        return value;
    }
    static void write(uint64_t value) noexcept { asm volatile("msr fpcr, %0" : : "r"(value)); }
#else
    static constexpr uint64_t kBits = 0;
    static uint64_t read() noexcept { return 0; }
    static void write(uint64_t) noexcept {}
#endif
    uint64_t before_;
};

}  // namespace neutone_like
