// Weights of a recurrent layer in 8 or 16 bits: with many units a step takes the time in which its weights arrive, and short
// ones arrive sooner.
#pragma once

#include "kernels/isa/whole_products.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// Columns next to each other; a panel has all rows of them.
constexpr int32_t kPanelColumns = 16;
constexpr int32_t kPanelVectors = kPanelColumns / kLanes;
// How many panels' sums are held in registers: with whole numbers there are two for each column.
constexpr int32_t kHalfPanels = kLanes == 4 && kRegisters == 16 ? 3 : 6;
constexpr int32_t kRowsOfHalves = 64;  // of a sum: many short ones are more exact than a long one
constexpr int32_t kBytePanels = kLanes == 16 ? 4 : kLanes == 4 && kRegisters == 16 ? 1 : 2;

// Where a processor makes floats of half-precision numbers. Without, a step of halves takes up to 1.65 x the time of floats:
// they are made floats in scratch memory once for each block that has enough steps, which takes the time of 2 to 6 of them.
#if defined(__F16C__) || defined(__aarch64__)
constexpr bool kHasHalves = true;
#else
constexpr bool kHasHalves = false;
#endif

constexpr int32_t kFewestExpanded = 16;  // steps

// Bytes are made 16 bits each in scratch memory, likewise, where all of them then fit a second cache: a step takes 0.8 x the
// time, and making them that of one or two steps.
constexpr int64_t kMostWidened = 768 << 10;  // bytes
constexpr int32_t kWideWeights = kWeightForms;

// Of numbers that are 0 or normal.
NEUTONE_LIKE_INLINE Floats load_halves(const uint16_t* from) {
#if defined(__AVX512F__)
    return (Floats)_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__F16C__)
    return (Floats)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#elif defined(__aarch64__)
    return (Floats)vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from)));
#else
#if defined(__SSE4_1__)
    const Bits half = (Bits)_mm_cvtepi16_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
#else
    const Bits half = (Bits) __builtin_convertvector(
        static_cast<HalfShorts>(*reinterpret_cast<const HalfShortsAnywhere*>(from)), Ints);
#endif
    return (Floats)((half << 13) & 0x8fffffffu) * splat(0x1p112f);  // from where a float's exponent is counted
#endif
}

// `columns` weights in each of `rows` rows: panels, one after the other, then the scales, one for each column in each group
// of rows. Bytes lie in pairs of rows, so that groups are even: [16 columns][2 rows].
struct ShortWeights {
    const void* panels;
    const float* scales;
    int32_t rows, group, columns;
};

// As many floats as lie in the place of the panels; -1: too many.
NEUTONE_LIKE_INLINE int64_t panel_floats(int64_t rows, int64_t columns, int32_t form) {
    const int64_t weights = times(round_up(rows, 2), columns);
    return weights < 0 ? -1 : form == kHalfWeights ? weights / 2 : weights / 4;
}

NEUTONE_LIKE_INLINE int32_t end_of_group(const ShortWeights& weights, int32_t row) {
    return weights.rows - row < weights.group ? weights.rows : row + weights.group;
}

// sums += kPanels panels of halves from `column` on, which lie next to each other among the sums too.
template <int kPanels>
NEUTONE_LIKE_INLINE void add_halves(float* sums, const ShortWeights& weights, int32_t column, const float* values,
                                    ptrdiff_t stride) {
    const ptrdiff_t panel = kPanelColumns * static_cast<ptrdiff_t>(round_up(weights.rows, 2));
    const auto* first = static_cast<const uint16_t*>(weights.panels) + column / kPanelColumns * panel;
    const float* scales = weights.scales + column;
    for (int32_t row = 0; row < weights.rows; scales += weights.columns) {
        for (const int32_t end = end_of_group(weights, row); row < end;) {
            const int32_t stop = end - row < kRowsOfHalves ? end : row + kRowsOfHalves;
            Floats total[kPanels][kPanelVectors] = {};
            for (; row < stop; ++row) {
                const Floats value = splat(values[row * stride]);
                const auto* from = first + row * ptrdiff_t{kPanelColumns};
                NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                    NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                        total[p][v] += value * load_halves(from + p * panel + v * kLanes);
                    }
                }
            }
            NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                    const int32_t place = p * kPanelColumns + v * kLanes;
                    store(sums + place, load(sums + place) + load(scales + place) * total[p][v]);
                }
            }
        }
    }
}

// The same of whole numbers, of 8 or 16 bits, times the digits of the values.
template <int kPanels, typename Whole>
NEUTONE_LIKE_INLINE void add_whole(float* sums, const ShortWeights& weights, int32_t column, const Digits& digits) {
    const ptrdiff_t panel = kPanelColumns * static_cast<ptrdiff_t>(round_up(weights.rows, 2));
    const auto* first = static_cast<const Whole*>(weights.panels) + column / kPanelColumns * panel;
    const float* scales = weights.scales + column;
    for (int32_t row = 0; row < weights.rows; scales += weights.columns) {
        for (const int32_t end = end_of_group(weights, row); row < end;) {
            const int32_t stop = end - row < kMostSummed ? end : row + kMostSummed;
            Ints high[kPanels][kPanelVectors] = {}, low[kPanels][kPanelVectors] = {};
            for (; row < stop; row += 2) {
                const Ints above = pair_of(digits.high + row), below = pair_of(digits.low + row);
                const auto* from = first + row * ptrdiff_t{kPanelColumns};
                NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                    NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                        const Ints pairs = load_pairs(from + p * panel + 2 * v * kLanes);
                        high[p][v] += pair_products(pairs, above);
                        low[p][v] += pair_products(pairs, below);
                    }
                }
            }
            row = stop;
            NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
                    const int32_t place = p * kPanelColumns + v * kLanes;
                    const Floats whole = digits_to_floats(high[p][v], low[p][v]) * splat(digits.unit);
                    store(sums + place, load(sums + place) + load(scales + place) * whole);
                }
            }
        }
    }
}

// Halves as floats, [rows][columns].
NEUTONE_LIKE_ALONE static void expand_halves(float* to, const ShortWeights& weights) {
    const ptrdiff_t panel = kPanelColumns * static_cast<ptrdiff_t>(round_up(weights.rows, 2));
    for (int32_t row = 0; row < weights.rows; ++row, to += weights.columns) {
        const float* scales = weights.scales + row / weights.group * static_cast<ptrdiff_t>(weights.columns);
        const auto* from = static_cast<const uint16_t*>(weights.panels) + row * ptrdiff_t{kPanelColumns};
        for (int32_t column = 0; column < weights.columns; column += kLanes) {
            const auto* halves = from + column / kPanelColumns * panel + column % kPanelColumns;
            store(to + column, load(scales + column) * load_halves(halves));
        }
    }
}

// Bytes as 16 bits each, in the same order.
NEUTONE_LIKE_ALONE static void widen_bytes(int16_t* to, const ShortWeights& weights) {
    const auto* from = static_cast<const int8_t*>(weights.panels);
    const int64_t all = round_up(weights.rows, 2) * weights.columns;
    for (int64_t i = 0; i < all; i += 2 * kLanes) {
        store(reinterpret_cast<float*>(to + i), (Floats)load_pairs(from + i));
    }
}

// Number by number: for values that have no digits, which are infinite or NaN.
template <typename Whole>
static void add_whole_slowly(float* sums, const ShortWeights& weights, int32_t first, int32_t end, const float* values,
                             ptrdiff_t stride) {
    const int32_t rows = static_cast<int32_t>(round_up(weights.rows, 2));
    for (int32_t column = first; column < end; ++column) {
        const auto* panel = static_cast<const Whole*>(weights.panels) +
                            column / kPanelColumns * (kPanelColumns * static_cast<ptrdiff_t>(rows));
        for (int32_t row = 0; row < weights.rows; ++row) {
            const Whole whole = panel[(row / 2 * kPanelColumns + column % kPanelColumns) * 2 + row % 2];
            const float scale = weights.scales[row / weights.group * static_cast<ptrdiff_t>(weights.columns) + column];
            sums[column - first] += scale * static_cast<float>(whole) * values[row * stride];
        }
    }
}

// sums += as many panels from `column` on as there are, of all rows, each row times its value.
template <int kPanels>
NEUTONE_LIKE_INLINE void add_half_panels(float* sums, const ShortWeights& weights, int32_t column, int32_t panels,
                                         const float* values, ptrdiff_t stride) {
    if (panels == kPanels) return add_halves<kPanels>(sums, weights, column, values, stride);
    if constexpr (kPanels > 1) add_half_panels<kPanels - 1>(sums, weights, column, panels, values, stride);
}

// sums[0..end - first) += columns `first` to `end` of all rows, each row times its value.
NEUTONE_LIKE_ALONE static void add_half_columns(float* sums, const ShortWeights& weights, int32_t first, int32_t end,
                                                const float* values, ptrdiff_t stride) {
    for (int32_t column = first, panels; column < end; column += panels * kPanelColumns) {
        panels = column_width((end - column) / kPanelColumns, kHalfPanels);
        add_half_panels<kHalfPanels>(sums + (column - first), weights, column, panels, values, stride);
    }
}

template <typename Whole>
NEUTONE_LIKE_ALONE static void add_whole_columns(float* sums, const ShortWeights& weights, int32_t first, int32_t end,
                                                 const Digits& digits) {
    int32_t column = first;
    for (; column + kBytePanels * kPanelColumns <= end; column += kBytePanels * kPanelColumns) {
        add_whole<kBytePanels, Whole>(sums + (column - first), weights, column, digits);
    }
    for (; column < end; column += kPanelColumns) {
        add_whole<1, Whole>(sums + (column - first), weights, column, digits);
    }
}

// How weights are stored, behind `own` integers of a kernel: nothing, which is as floats; or for those of the units, then for
// those of the inputs, the form and how many rows share a scale. Short ones of the inputs alone are not.
NEUTONE_LIKE_INLINE bool has_forms(const Call& call, uint32_t own) {
    if (call.integer_count == own) return true;
    if (call.integer_count != own + 4 || call.integers[own] == kFloatWeights) return false;
    for (uint32_t i = own; i < own + 4; i += 2) {
        const int32_t form = call.integers[i], group = call.integers[i + 1];
        if (form < 0 || form >= kWeightForms || group < 1 || (form == kByteWeights && group % 2 != 0)) return false;
    }
    return true;
}

struct StoredWeights {
    int64_t floats;  // in whose place they lie; -1: too many
    int32_t form;
    ShortWeights in_short;
};

// Those of the units (0) or the inputs (1), from `weights` on, which may be null; of the units, floats have one row more.
NEUTONE_LIKE_INLINE StoredWeights stored_weights(const Call& call, uint32_t own, uint32_t which, const float* weights,
                                                 int64_t rows, int64_t columns) {
    if (call.integer_count == own || call.integers[own + 2 * which] == kFloatWeights) {
        return {times(which == 0 ? rows + 1 : rows, columns), kFloatWeights, {}};
    }
    const int32_t form = call.integers[own + 2 * which], group = call.integers[own + 2 * which + 1];
    const int64_t panels = panel_floats(rows, columns, form), scales = times((rows + group - 1) / group, columns);
    if (panels < 0 || scales < 0) return {-1, form, {}};
    if (weights == nullptr) return {panels + scales, form, {}};
    return {panels + scales,
            form,
            {weights, weights + panels, static_cast<int32_t>(rows), group, static_cast<int32_t>(columns)}};
}

NEUTONE_LIKE_INLINE bool is_expanded(int32_t form) { return !kHasHalves && form == kHalfWeights; }

// What bytes take in 16 bits each; 0 of weights in another form.
NEUTONE_LIKE_INLINE int64_t widened_bytes(int32_t form, int64_t rows, int64_t columns) {
    return form == kByteWeights ? 2 * round_up(rows, 2) * columns : 0;
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
