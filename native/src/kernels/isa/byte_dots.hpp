// Sums of floats times bytes where a processor multiplies four pairs of bytes and adds the products to a lane in one
// instruction (AVX-512 VNNI). A float is three digits of 8 bits, in parts of the largest of them all. The sums are exact; what
// is lost are parts of a value below 2^-23 of the largest one: a sum of floats is rounded as much.
#pragma once

#include "kernels/isa/short_weights.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int32_t kDigits = 3;
constexpr int32_t kQuad = 4;              // rows in one lane
constexpr int32_t kMostDotted = 1 << 16;  // rows until a sum could be too large: each adds at most 128 * 128
constexpr int32_t kDotPanels = 6;         // whose sums are held in registers

// A value is unit * (2^16 digits[2] + 2^8 digits[1] + digits[0]).
struct DotDigits {
    int8_t* digits[kDigits];  // whole quads
    uint32_t* sums[kDigits];  // -128 times all digits before a quad; modulo 2^32, as is every sum until it is complete
    float unit;
};

#if defined(__AVX512BW__)

typedef int8_t LaneBytes __attribute__((vector_size(kLanes), aligned(1), may_alias));
typedef int32_t QuadAnywhere __attribute__((aligned(1), may_alias));

NEUTONE_LIKE_INLINE Ints quad_of(const int8_t* from) { return Ints{} + *reinterpret_cast<const QuadAnywhere*>(from); }

// In each lane four products of a byte without and one with a sign. In words of the assembler, which needs no leave to use
// what the kernels around it may not.
NEUTONE_LIKE_INLINE void add_dots(Ints& sum, Ints without_sign, Ints with_sign) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(without_sign), "v"(with_sign));
}

// Two pairs of rows as four rows in each lane, with 128 added to every byte, which is without a sign then.
NEUTONE_LIKE_INLINE Ints load_quads(const int8_t* from) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    const __m512i pairs = (__m512i)load(reinterpret_cast<const float*>(from));
    return (Ints)_mm512_maskz_permutexvar_epi16(0xffffffff, order, pairs) ^ (Ints)(Bits{} + 0x80808080u);
}

// The digits of values; false where one of them is infinite or NaN. One that is missing to a quad is 0.
NEUTONE_LIKE_INLINE bool dot_digits_of(DotDigits& by, float* room, const float* values, ptrdiff_t stride,
                                       int32_t rows) {
    const auto whole = static_cast<int32_t>(round_up(rows, kVectorFloats));
    const uint32_t largest = gathered(room, values, stride, rows, whole);
    const uint32_t most = largest > 0x10000000u ? largest : 0x10000000u;  // what is so small has fewer places
    if (most >= 0x7f800000u) return false;
    // The largest becomes one of at most 2^23 - 0x8200, so that its highest digit, after the others, is at most 127.
    const uint32_t exponent = (most + 0x10400u) >> 23;
    const Floats scale = (Floats)(Bits{} + ((276u - exponent) << 23));
    by.unit = __builtin_bit_cast(float, (exponent - 22u) << 23);
    for (int d = 0; d < kDigits; ++d) {
        by.digits[d] = reinterpret_cast<int8_t*>(room + whole) + d * whole;
        by.sums[d] = reinterpret_cast<uint32_t*>(by.digits[0] + kDigits * whole) + d * (whole / kQuad + 1);
    }
    for (int32_t i = 0; i < whole; i += kLanes) {
        Ints rest = (Ints)_mm512_maskz_cvtps_epi32(0xffff, (__m512)(load(room + i) * scale));
        NEUTONE_LIKE_UNROLL for (int d = 0; d < kDigits; ++d) {
            const Ints digit = (Ints)((Bits)rest << 24) >> 24;
            *reinterpret_cast<LaneBytes*>(by.digits[d] + i) = __builtin_convertvector(digit, LaneBytes);
            rest = (rest - digit) >> 8;
        }
    }
    for (int d = 0; d < kDigits; ++d) {
        by.sums[d][0] = 0;
        for (int32_t quad = 0; quad < whole / kQuad; ++quad) {
            int32_t sum = 0;
            for (int i = 0; i < kQuad; ++i) sum += by.digits[d][kQuad * quad + i];
            by.sums[d][quad + 1] = by.sums[d][quad] - 128u * static_cast<uint32_t>(sum);
        }
    }
    return true;
}

// sums += kPanels panels from `column` on.
template <int kPanels>
NEUTONE_LIKE_INLINE void add_dot_panels(float* sums, const ShortWeights& weights, int32_t column, const DotDigits& by) {
    const ptrdiff_t panel = kPanelColumns * static_cast<ptrdiff_t>(round_up(weights.rows, 2));
    const auto* first = static_cast<const int8_t*>(weights.panels) + column / kPanelColumns * panel;
    const float* scales = weights.scales + column;
    for (int32_t row = 0; row < weights.rows; scales += weights.columns) {
        for (const int32_t end = end_of_group(weights, row); row < end;) {
            const int32_t stop = end - row < kMostDotted ? end : row + kMostDotted;
            Ints total[kDigits][kPanels];
            NEUTONE_LIKE_UNROLL for (int d = 0; d < kDigits; ++d) {
                const uint32_t correction = by.sums[d][(stop + kQuad - 1) / kQuad] - by.sums[d][row / kQuad];
                NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) total[d][p] = (Ints)(Bits{} + correction);
            }
            for (; row < stop; row += kQuad) {
                const Ints low = quad_of(by.digits[0] + row), middle = quad_of(by.digits[1] + row),
                           high = quad_of(by.digits[2] + row);
                const auto* from = first + row * ptrdiff_t{kPanelColumns};
                NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                    // Of the last quad half may be beyond the panel's end, and is multiplied by 0.
                    const Ints quads = load_quads(from + p * panel);
                    add_dots(total[0][p], quads, low);
                    add_dots(total[1][p], quads, middle);
                    add_dots(total[2][p], quads, high);
                }
            }
            row = stop;
            NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                const int32_t place = p * kPanelColumns;
                const Floats below = __builtin_convertvector(total[1][p], Floats) * splat(0x1p8f) +
                                     __builtin_convertvector(total[0][p], Floats);
                const Floats whole = __builtin_convertvector(total[2][p], Floats) * splat(0x1p16f) + below;
                store(sums + place, load(sums + place) + load(scales + place) * (whole * splat(by.unit)));
            }
        }
    }
}

template <int kPanels>
NEUTONE_LIKE_INLINE void add_as_many_dot_panels(float* sums, const ShortWeights& weights, int32_t column,
                                                int32_t panels, const DotDigits& by) {
    if (panels == kPanels) return add_dot_panels<kPanels>(sums, weights, column, by);
    if constexpr (kPanels > 1) add_as_many_dot_panels<kPanels - 1>(sums, weights, column, panels, by);
}

// sums[0..end - first) += columns `first` to `end` of all rows, each row times its value.
NEUTONE_LIKE_ALONE static void add_dot_columns(float* sums, const ShortWeights& weights, int32_t first, int32_t end,
                                               const DotDigits& by) {
    for (int32_t column = first, panels; column < end; column += panels * kPanelColumns) {
        panels = column_width((end - column) / kPanelColumns, kDotPanels);
        add_as_many_dot_panels<kDotPanels>(sums + (column - first), weights, column, panels, by);
    }
}
#else

NEUTONE_LIKE_INLINE bool dot_digits_of(DotDigits&, float*, const float*, ptrdiff_t, int32_t) { return false; }
NEUTONE_LIKE_INLINE void add_dot_columns(float*, const ShortWeights&, int32_t, int32_t, const DotDigits&) {}
#endif

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
