// One vector type for every instruction set: 16, 8 or 4 floats, by what the file is compiled for. All of isa/ is compiled
// once for each set, in an inline namespace of its own, so that the linker never takes one set's code for another's:
// nothing here or in a kernel's file may be an inline function or template outside of it, nor come from std.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef NEUTONE_LIKE_KERNELS
#define NEUTONE_LIKE_KERNELS baseline  // or v3, v4
#endif

#define NEUTONE_LIKE_INLINE inline __attribute__((always_inline))
#define NEUTONE_LIKE_ALONE __attribute__((noinline))
// Loops over an array of vectors must be unrolled, or the array lives in memory.
#if defined(__clang__)
#define NEUTONE_LIKE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define NEUTONE_LIKE_UNROLL _Pragma("GCC unroll 64")
#endif

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif
constexpr int kDoubleLanes = kLanes / 2;

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int kRegisters = 32;
#else
constexpr int kRegisters = 16;
#endif

typedef float Floats __attribute__((vector_size(kLanes * 4)));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4)));
typedef uint32_t Bits __attribute__((vector_size(kLanes * 4)));  // whose sums may wrap around
typedef double Doubles __attribute__((vector_size(kLanes * 4)));
typedef int64_t LongInts __attribute__((vector_size(kLanes * 4)));
typedef float HalfFloats __attribute__((vector_size(kLanes * 2)));

// As they lie in memory: at any address that fits one element, whatever type was written there.
typedef float FloatsAnywhere __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef double DoublesAnywhere __attribute__((vector_size(kLanes * 4), aligned(8), may_alias));
typedef float HalfFloatsAnywhere __attribute__((vector_size(kLanes * 2), aligned(4), may_alias));

NEUTONE_LIKE_INLINE Floats load(const float* from) { return *reinterpret_cast<const FloatsAnywhere*>(from); }
NEUTONE_LIKE_INLINE void store(float* to, Floats value) { *reinterpret_cast<FloatsAnywhere*>(to) = value; }
NEUTONE_LIKE_INLINE Doubles load(const double* from) { return *reinterpret_cast<const DoublesAnywhere*>(from); }
NEUTONE_LIKE_INLINE void store(double* to, Doubles value) { *reinterpret_cast<DoublesAnywhere*>(to) = value; }

// kDoubleLanes floats as doubles, and back, rounded to nearest.
NEUTONE_LIKE_INLINE Doubles load_as_doubles(const float* from) {
    return __builtin_convertvector(static_cast<HalfFloats>(*reinterpret_cast<const HalfFloatsAnywhere*>(from)),
                                   Doubles);
}
NEUTONE_LIKE_INLINE void store_as_floats(float* to, Doubles value) {
    *reinterpret_cast<HalfFloatsAnywhere*>(to) = __builtin_convertvector(value, HalfFloats);
}

// `Floats{} + x` would cost an addition: x may be a negative zero.
#if defined(__AVX512F__)
NEUTONE_LIKE_INLINE Floats splat(float x) { return Floats{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
NEUTONE_LIKE_INLINE Doubles splat(double x) { return Doubles{x, x, x, x, x, x, x, x}; }
#elif defined(__AVX__)
NEUTONE_LIKE_INLINE Floats splat(float x) { return Floats{x, x, x, x, x, x, x, x}; }
NEUTONE_LIKE_INLINE Doubles splat(double x) { return Doubles{x, x, x, x}; }
#else
NEUTONE_LIKE_INLINE Floats splat(float x) { return Floats{x, x, x, x}; }
NEUTONE_LIKE_INLINE Doubles splat(double x) { return Doubles{x, x}; }
#endif

// Keeps a loaded vector in a register: GCC otherwise loads it again for every product.
#if (defined(__x86_64__) || defined(_M_X64)) && defined(__AVX512F__)
#define NEUTONE_LIKE_PIN(vector) __asm__("" : "+v"(vector))
#elif defined(__x86_64__) || defined(_M_X64)
#define NEUTONE_LIKE_PIN(vector) __asm__("" : "+x"(vector))
#elif defined(__aarch64__)
#define NEUTONE_LIKE_PIN(vector) __asm__("" : "+w"(vector))
#else
#define NEUTONE_LIKE_PIN(vector) (void)0
#endif

// The smaller and the larger. A NaN in b comes out; one in a doesn't everywhere: put a constant first, the sound second.
#if defined(__AVX512F__)
// With a mask of all lanes: GCC 12 warns of its own header's unmasked ones.
NEUTONE_LIKE_INLINE Floats minimum(Floats a, Floats b) {
    return (Floats)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b);
}
NEUTONE_LIKE_INLINE Floats maximum(Floats a, Floats b) {
    return (Floats)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b);
}
#elif defined(__AVX__)
NEUTONE_LIKE_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm256_min_ps((__m256)a, (__m256)b); }
NEUTONE_LIKE_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm256_max_ps((__m256)a, (__m256)b); }
#elif defined(__x86_64__) || defined(_M_X64)
NEUTONE_LIKE_INLINE Floats minimum(Floats a, Floats b) { return (Floats)_mm_min_ps((__m128)a, (__m128)b); }
NEUTONE_LIKE_INLINE Floats maximum(Floats a, Floats b) { return (Floats)_mm_max_ps((__m128)a, (__m128)b); }
#elif defined(__aarch64__)
NEUTONE_LIKE_INLINE Floats minimum(Floats a, Floats b) { return (Floats)vminq_f32((float32x4_t)a, (float32x4_t)b); }
NEUTONE_LIKE_INLINE Floats maximum(Floats a, Floats b) { return (Floats)vmaxq_f32((float32x4_t)a, (float32x4_t)b); }
#else
NEUTONE_LIKE_INLINE Floats minimum(Floats a, Floats b) { return a < b ? a : b; }
NEUTONE_LIKE_INLINE Floats maximum(Floats a, Floats b) { return a > b ? a : b; }
#endif

// Within [lowest, highest]; NaN stays NaN.
NEUTONE_LIKE_INLINE Floats clamp(Floats x, float lowest, float highest) {
    return minimum(splat(highest), maximum(splat(lowest), x));
}

NEUTONE_LIKE_INLINE float sum_of_lanes(Floats value) {
    float sum = 0.0f;
    NEUTONE_LIKE_UNROLL for (int lane = 0; lane < kLanes; ++lane) sum += value[lane];
    return sum;
}

// How many vectors to take next, where `most` fit the registers: of about as many each time.
NEUTONE_LIKE_INLINE int32_t column_width(int32_t vectors, int32_t most) {
    if (vectors >= 2 * most) return most;
    return vectors > most ? (vectors + 1) / 2 : vectors;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
