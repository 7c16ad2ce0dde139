// Weights of a recurrent layer in 8 or 16 bits: with many units a step takes the time in which its weights arrive, and short
// ones arrive sooner than it takes to make floats of them.
#pragma once

#include "kernels/isa/vector.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// How the weights of a layer's units, and those of its inputs, are stored.
enum WeightForm : int32_t { kFloatWeights = 0, kHalfWeights = 1, kByteWeights = 2, kWeightForms = 3 };

// Columns next to each other; a panel has all rows of them.
constexpr int32_t kPanelColumns = 16;
constexpr int32_t kPanelVectors = kPanelColumns / kLanes;
constexpr int32_t kShortPanels = kLanes == 4 ? 2 : 4;  // whose sums are held in registers

typedef int32_t FourBytesAnywhere __attribute__((aligned(1), may_alias));
typedef uint16_t HalfWords __attribute__((vector_size(kLanes * 2)));
typedef uint16_t HalfWordsAnywhere __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

struct ByteWeight {
    typedef int8_t Stored;
    // By hand: GCC takes bytes apart one by one.
    NEUTONE_LIKE_INLINE static Floats load(const Stored* from) {
#if defined(__AVX512F__)
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return __builtin_convertvector((Ints)_mm512_maskz_cvtepi8_epi32(0xffff, bytes), Floats);
#elif defined(__AVX2__)
        const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
        return __builtin_convertvector((Ints)_mm256_cvtepi8_epi32(bytes), Floats);
#else
        const int32_t four = *reinterpret_cast<const FourBytesAnywhere*>(from);
#if defined(__SSE4_1__)
        return __builtin_convertvector((Ints)_mm_cvtepi8_epi32(_mm_cvtsi32_si128(four)), Floats);
#elif defined(__aarch64__)
        const int8x8_t bytes = vreinterpret_s8_s32(vdup_n_s32(four));
        return (Floats)vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(bytes))));
#else
        const Ints bytes = {four, four >> 8, four >> 16, four >> 24};
        return __builtin_convertvector((bytes << 24) >> 24, Floats);
#endif
#endif
    }
};

// Finite numbers; those below the smallest normal one are whole multiples of 2^-24, which no flushing to zero must reach.
struct HalfWeight {
    typedef uint16_t Stored;
    NEUTONE_LIKE_INLINE static Floats load(const Stored* from) {
#if defined(__AVX512F__)
        return (Floats)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__F16C__)
        return (Floats)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__aarch64__)
        return (Floats)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
#else
        const Bits half =
            __builtin_convertvector(static_cast<HalfWords>(*reinterpret_cast<const HalfWordsAnywhere*>(from)), Bits);
        const Bits size = (half & 0x7fffu) << 13, sign = (half & 0x8000u) << 16;
        const Floats normal = (Floats)(size + (112u << 23));
        const Floats small = (Floats)(size + (113u << 23)) - splat(6.103515625e-5f);
        return (Floats)((Bits)(size < (1u << 23) ? small : normal) | sign);
#endif
    }
};

// `columns` weights in each of `rows` rows: panels, one after the other, then the scales, one for each column in each group
// of rows.
struct ShortWeights {
    const void* panels;
    const float* scales;
    int32_t rows, group, columns;
};

// As many floats as lie in the place of the panels.
NEUTONE_LIKE_INLINE int64_t panel_floats(int64_t rows, int64_t columns, int32_t form) {
    return rows * columns / (form == kHalfWeights ? 2 : 4);
}

// sums += kPanels panels from `column` on, which lie next to each other among the sums too.
template <typename Weight, int kPanels>
NEUTONE_LIKE_INLINE void add_panels(float* sums, const ShortWeights& weights, int32_t column, const float* values,
                                    ptrdiff_t stride) {
    const ptrdiff_t panel = kPanelColumns * static_cast<ptrdiff_t>(weights.rows);
    const auto* first = static_cast<const typename Weight::Stored*>(weights.panels) + column / kPanelColumns * panel;
    const float* scales = weights.scales + column;
    for (int32_t row = 0; row < weights.rows; scales += weights.columns) {
        const int32_t end = weights.rows - row < weights.group ? weights.rows : row + weights.group;
        Floats even[kPanels][kPanelVectors] = {}, odd[kPanels][kPanelVectors] = {};
        for (; row + 1 < end; row += 2) {
            const Floats value = splat(values[row * stride]), next = splat(values[(row + 1) * stride]);
            const auto* from = first + row * kPanelColumns;
            NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                    even[p][v] += value * Weight::load(from + p * panel + v * kLanes);
                    odd[p][v] += next * Weight::load(from + p * panel + kPanelColumns + v * kLanes);
                }
            }
        }
        if (row < end) {
            const Floats value = splat(values[row * stride]);
            const auto* from = first + row * kPanelColumns;
            NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                    even[p][v] += value * Weight::load(from + p * panel + v * kLanes);
                }
            }
            ++row;
        }
        NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
            NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                const int32_t place = p * kPanelColumns + v * kLanes;
                store(sums + place, load(sums + place) + load(scales + place) * (even[p][v] + odd[p][v]));
            }
        }
    }
}

// sums[0..end - first) += columns `first` to `end` of all rows, each row times its value.
template <typename Weight>
NEUTONE_LIKE_ALONE static void add_short(float* sums, const ShortWeights& weights, int32_t first, int32_t end,
                                         const float* values, ptrdiff_t stride) {
    int32_t column = first;
    for (; column + kShortPanels * kPanelColumns <= end; column += kShortPanels * kPanelColumns) {
        add_panels<Weight, kShortPanels>(sums + (column - first), weights, column, values, stride);
    }
    for (; column < end; column += kPanelColumns) {
        add_panels<Weight, 1>(sums + (column - first), weights, column, values, stride);
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
