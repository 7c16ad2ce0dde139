// Sums of floats times bytes in whole numbers: a float is two digits of 13 bits, in parts of the largest of them all, and a
// processor multiplies pairs of those by pairs of bytes and adds the two in one instruction, where a float product would need
// each byte as a float of its own. The sums are exact; what is lost are parts of a value below 2^-25 of the largest one, less
// than a float's sum loses when it is rounded.
#pragma once

#include "kernels/isa/operands.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// Rows until a sum could be too large: each adds at most 128 * 2^12. Pairs of them.
constexpr int32_t kMostSummed = 4094;

typedef int16_t Shorts __attribute__((vector_size(kLanes * 4)));  // pairs
typedef int16_t HalfShorts __attribute__((vector_size(kLanes * 2)));
typedef int16_t HalfShortsAnywhere __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));
typedef int8_t BytesAnywhere __attribute__((vector_size(kLanes * 2), aligned(1), may_alias));
typedef int32_t PairAnywhere __attribute__((aligned(2), may_alias));

// A value is unit * (8192 * high + low).
struct Digits {
    int16_t *high, *low;  // a whole number of vectors
    float unit;
};

// Two neighbours in every lane.
NEUTONE_LIKE_INLINE Ints pair_of(const int16_t* from) { return Ints{} + *reinterpret_cast<const PairAnywhere*>(from); }

// 2 * kLanes whole numbers as 16 bits each.
NEUTONE_LIKE_INLINE Ints load_pairs(const int16_t* from) {
    Ints pairs = (Ints)load(reinterpret_cast<const float*>(from));
    NEUTONE_LIKE_PIN(pairs);
    return pairs;
}

NEUTONE_LIKE_INLINE Ints load_pairs(const int8_t* from) {
#if defined(__AVX512BW__)
    return (Ints)_mm512_maskz_cvtepi8_epi16(0xffffffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__AVX2__)
    return (Ints)_mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__SSE4_1__)
    return (Ints)_mm_cvtepi8_epi16(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#elif defined(__aarch64__)
    return (Ints)vmovl_s8(vld1_s8(from));
#else
    return (Ints) __builtin_convertvector(*reinterpret_cast<const BytesAnywhere*>(from), Shorts);
#endif
}

// In each lane the sum of two products of 16 bits.
NEUTONE_LIKE_INLINE Ints pair_products(Ints a, Ints b) {
#if defined(__AVX512BW__)
    return (Ints)_mm512_maskz_madd_epi16(0xffff, (__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (Ints)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (Ints)_mm_madd_epi16((__m128i)a, (__m128i)b);
#elif defined(__wasm_simd128__)
    return (Ints)__builtin_wasm_dot_s_i32x4_i16x8((Shorts)a, (Shorts)b);
#else
    return ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

NEUTONE_LIKE_INLINE Floats digits_to_floats(Ints high, Ints low) {
    return __builtin_convertvector(high, Floats) * splat(8192.0f) + __builtin_convertvector(low, Floats);
}

// Puts values next to each other, and 0 behind them up to `whole`; the bits of the largest one without its sign.
NEUTONE_LIKE_INLINE uint32_t gathered(float* room, const float* values, ptrdiff_t stride, int32_t rows, int32_t whole) {
    for (int32_t i = 0; i < rows; ++i) room[i] = values[i * stride];
    for (int32_t i = rows; i < whole; ++i) room[i] = 0.0f;
    Bits largest = {};
    for (int32_t i = 0; i < whole; i += kLanes) {
        const Bits size = (Bits)load(room + i) & 0x7fffffffu;
        largest = largest > size ? largest : size;
    }
    uint32_t most = 0;
    for (int lane = 0; lane < kLanes; ++lane) most = largest[lane] > most ? largest[lane] : most;
    return most;
}

// The digits of values; false where one of them is infinite or NaN. One that is missing to a pair is 0.
NEUTONE_LIKE_INLINE bool digits_of(Digits& digits, float* room, const float* values, ptrdiff_t stride, int32_t rows) {
    const int32_t whole = static_cast<int32_t>(round_up(rows, kVectorFloats));
    uint32_t exponent = gathered(room, values, stride, rows, whole) >> 23;
    if (exponent == 255) return false;
    if (exponent < 25) exponent = 25;  // what is so small has fewer places
    // The largest becomes one between 2^24 and 2^25.
    const Floats scale = (Floats)(Bits{} + ((278u - exponent) << 23)), rounder = splat(12582912.0f);
    digits.unit = __builtin_bit_cast(float, (exponent - 24u) << 23);
    for (int32_t i = 0; i < whole; i += kLanes) {
        const Floats value = load(room + i) * scale, high = value * splat(0x1p-13f) + rounder;
        const Floats low = (value - (high - rounder) * splat(8192.0f)) + rounder;
        *reinterpret_cast<HalfShortsAnywhere*>(digits.high + i) = __builtin_convertvector((Ints)high, HalfShorts);
        *reinterpret_cast<HalfShortsAnywhere*>(digits.low + i) = __builtin_convertvector((Ints)low, HalfShorts);
    }
    return true;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
