// The heart of the affine kernel: a few rows of the result by a few vectors of time, all of whose sums stay in registers.
#pragma once

#include "kernels/isa/activations.hpp"
#include "kernels/isa/partial.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

typedef float Four __attribute__((vector_size(16)));
typedef float FourAnywhere __attribute__((vector_size(16), aligned(4), may_alias));
NEUTONE_LIKE_INLINE Four load_four(const float* from) { return *reinterpret_cast<const FourAnywhere*>(from); }

// Rows of one input, or of one addend, of one group.
struct AffineRows {
    const float* data;
    ptrdiff_t stride;  // between rows
    int32_t rows;
    bool one_value;  // for the whole block
};

// A block of rows of the product for one group. `weights` and `segment` and `row` are where its rows of the inputs begin.
struct AffineBlock {
    float* out;
    ptrdiff_t out_stride;
    const float* weights;
    ptrdiff_t panel;  // from one panel of four outputs to the next, in weights
    const float* bias;
    const AffineRows* segment;
    int32_t row;
    int32_t rows;
    const AffineRows* addends;
    int32_t addend_count;
    int32_t activation;
    bool is_first;  // sums begin with bias and addends, not with what is in out
    bool is_last;   // sums are complete
};

template <int kRows, int kVectors>
using Sums = Floats[kRows][kVectors];

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void multiply_rows(Sums<kRows, kVectors>& sums, const float* x, ptrdiff_t stride, int32_t rows,
                                       const float* weights, ptrdiff_t panel) {
    for (; rows > 0; --rows, x += stride, weights += 4) {
        Floats values[kVectors];
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
            values[j] = load(x + j * kLanes);
            NEUTONE_LIKE_PIN(values[j]);
        }
        NEUTONE_LIKE_UNROLL for (int m = 0; m < kRows; ++m) {
            const Floats weight = splat(weights[(m / 4) * panel + m % 4]);
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[m][j] += weight * values[j];
        }
    }
}

// Rows that have one value for the block: their part of the sum is the same for all lanes.
template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void multiply_values(Sums<kRows, kVectors>& sums, const float* x, ptrdiff_t stride, int32_t rows,
                                         const float* weights, ptrdiff_t panel) {
    constexpr int kPanels = (kRows + 3) / 4;
    Four totals[kPanels] = {};
    for (; rows > 0; --rows, x += stride, weights += 4) {
        const Four value = {*x, *x, *x, *x};
        NEUTONE_LIKE_UNROLL for (int p = 0; p < kPanels; ++p) totals[p] += value * load_four(weights + p * panel);
    }
    NEUTONE_LIKE_UNROLL for (int m = 0; m < kRows; ++m) {
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[m][j] += splat(totals[m / 4][m % 4]);
    }
}

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void multiply_block(Sums<kRows, kVectors>& sums, const AffineBlock& block, int32_t t, int32_t m) {
    const AffineRows* segment = block.segment;
    const float* weights = block.weights + m / 4 * block.panel;
    int32_t row = block.row;
    for (int32_t left = block.rows; left > 0; ++segment, row = 0) {
        int32_t rows = segment->rows - row;
        if (rows > left) rows = left;
        const float* x = segment->data + row * segment->stride;
        if (segment->one_value) {
            multiply_values<kRows, kVectors>(sums, x, segment->stride, rows, weights, block.panel);
        } else {
            multiply_rows<kRows, kVectors>(sums, x + t, segment->stride, rows, weights, block.panel);
        }
        weights += 4 * static_cast<ptrdiff_t>(rows);
        left -= rows;
    }
}

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void begin_sums(Sums<kRows, kVectors>& sums, const AffineBlock& block, int32_t t, int32_t m) {
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i) {
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[i][j] = splat(block.bias[m + i]);
    }
    for (int32_t a = 0; a < block.addend_count; ++a) {
        const AffineRows& addend = block.addends[a];
        const float* data = addend.data + m * addend.stride;
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i, data += addend.stride) {
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
                sums[i][j] += addend.one_value ? splat(*data) : load(data + t + j * kLanes);
            }
        }
    }
}

template <int kRows, int kVectors, int32_t kActivation>
NEUTONE_LIKE_INLINE void store_sums(const Sums<kRows, kVectors>& sums, float* out, ptrdiff_t stride, int32_t lanes) {
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i) {
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
            const Floats value = activate<kActivation>(sums[i][j]);
            if (j < kVectors - 1 || lanes == kLanes) {
                store(out + i * stride + j * kLanes, value);
            } else {
                store_first(out + i * stride + j * kLanes, value, lanes);
            }
        }
    }
}

// Rows m to m + kRows, from t on; of the last vector `lanes` are written.
template <int kRows, int kVectors>
NEUTONE_LIKE_ALONE static void affine_tile(const AffineBlock& block, int32_t t, int32_t m, int32_t lanes) {
    Sums<kRows, kVectors> sums;
    float* out = block.out + m * block.out_stride + t;
    if (block.is_first) {
        begin_sums<kRows, kVectors>(sums, block, t, m);
    } else {
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i) {
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
                sums[i][j] = load(out + i * block.out_stride + j * kLanes);
            }
        }
    }
    multiply_block<kRows, kVectors>(sums, block, t, m);
    switch (block.is_last ? block.activation : kNone) {
        case kTanh: return store_sums<kRows, kVectors, kTanh>(sums, out, block.out_stride, lanes);
        case kSigmoid: return store_sums<kRows, kVectors, kSigmoid>(sums, out, block.out_stride, lanes);
        case kRelu: return store_sums<kRows, kVectors, kRelu>(sums, out, block.out_stride, lanes);
        default: return store_sums<kRows, kVectors, kNone>(sums, out, block.out_stride, lanes);
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
