// The heart of the affine kernel: a few rows of the result by a few vectors of time, all of whose sums stay in registers.
#pragma once

#include "kernels/isa/activations.hpp"
#include "kernels/isa/partial.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// Rows of time: of one input or of one addend.
struct AffineRows {
    const float* data;
    ptrdiff_t stride;
    ptrdiff_t weights;  // of an input: from a panel's first weight to that of its first row
    int32_t rows;
};

// A block of the product for one group.
struct AffineBlock {
    float* out;
    ptrdiff_t out_stride;
    const float* weights;
    ptrdiff_t panel;  // from one panel of four outputs to the next, in weights
    const float* bias;
    const AffineRows *segments, *segments_end, *addends, *addends_end;
    int32_t outputs, samples;
    int32_t activation;  // kNone until the sums are complete
    float lowest;        // results below it become it: 0 for relu
    bool is_padded;
};

template <int kRows, int kVectors>
using Sums = Floats[kRows][kVectors];

// Two rows by so many vectors of time that the weights have registers, and not the inputs.
template <int kVectors>
NEUTONE_LIKE_INLINE void multiply_pair(Sums<2, kVectors>& sums, const float* x, ptrdiff_t stride, int32_t rows,
                                       const float* weights) {
    for (const float* end = weights + 4 * static_cast<ptrdiff_t>(rows); weights != end; weights += 4, x += stride) {
        const Floats first = splat(weights[0]), second = splat(weights[1]);
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
            const Floats value = load(x + j * kLanes);
            sums[0][j] += first * value;
            sums[1][j] += second * value;
        }
    }
}

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void multiply_rows(Sums<kRows, kVectors>& sums, const float* x, ptrdiff_t stride, int32_t rows,
                                       const float* weights, ptrdiff_t panel) {
    if constexpr (kRows == 2 && kVectors > 4) return multiply_pair<kVectors>(sums, x, stride, rows, weights);
    for (const float* end = weights + 4 * static_cast<ptrdiff_t>(rows); weights != end; weights += 4, x += stride) {
        Floats values[kVectors];
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) {
            values[j] = load(x + j * kLanes);
            if constexpr (kRows > 1) NEUTONE_LIKE_PIN(values[j]);
        }
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i) {
            const Floats weight = splat(weights[(i / 4) * panel + i % 4]);
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[i][j] += weight * values[j];
        }
    }
}

// Rows m to m + kRows, from t on; of the last vector `lanes` are written.
template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE void affine_tile(const AffineBlock& block, int32_t t, int32_t m, int32_t lanes) {
    Sums<kRows, kVectors> sums = {};
    const float* weights = block.weights + m / 4 * block.panel + m % 4;
    for (const AffineRows* segment = block.segments; segment != block.segments_end; ++segment) {
        multiply_rows<kRows, kVectors>(sums, segment->data + t, segment->stride, segment->rows,
                                       weights + segment->weights, block.panel);
    }
    // Last: what is added is often larger than the products, each of which would be rounded to its last place.
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i) {
        const Floats bias = splat(block.bias[m + i]);
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[i][j] += bias;
    }
    for (const AffineRows* addend = block.addends; addend != block.addends_end; ++addend) {
        const float* row = addend->data + m * addend->stride + t;
        NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i, row += addend->stride) {
            NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors; ++j) sums[i][j] += load(row + j * kLanes);
        }
    }
    float* out = block.out + m * block.out_stride + t;
    const Floats lowest = splat(block.lowest);
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kRows; ++i, out += block.out_stride) {
        NEUTONE_LIKE_UNROLL for (int j = 0; j < kVectors - 1; ++j) store(out + j * kLanes, maximum(lowest, sums[i][j]));
        store_up_to(out + (kVectors - 1) * kLanes, maximum(lowest, sums[i][kVectors - 1]), lanes);
    }
}

// Browsers have vectors of four, so that tanh was a third of some networks' time: a fraction is half as many operations, and
// errs by a unit in the last place, six at most.
template <int32_t kActivation>
NEUTONE_LIKE_INLINE Floats activate_in_rows(Floats x) {
#if defined(__wasm__)
    if constexpr (kActivation == kTanh) {
        const Fraction fraction = tanh_fraction(x, 1.0);
        return fraction.above / fraction.below;
    }
#endif
    return activate<kActivation>(x);
}

template <int32_t kActivation>
static void activate_rows(float* out, ptrdiff_t stride, int32_t rows, int32_t vectors, int32_t lanes) {
    for (; rows > 0; --rows, out += stride) {
        int32_t j = 0;
        for (; j < vectors - 1; ++j) store(out + j * kLanes, activate_in_rows<kActivation>(load(out + j * kLanes)));
        store_up_to(out + j * kLanes, activate_in_rows<kActivation>(load(out + j * kLanes)), lanes);
    }
}

NEUTONE_LIKE_INLINE float lowest_of(int32_t activation) { return activation == kRelu ? 0.0f : -__builtin_inff(); }

// relu has been done with the sums.
NEUTONE_LIKE_INLINE void activate_rows(int32_t activation, float* out, ptrdiff_t stride, int32_t rows, int32_t vectors,
                                       int32_t lanes) {
    if (activation == kTanh) activate_rows<kTanh>(out, stride, rows, vectors, lanes);
    if (activation == kSigmoid) activate_rows<kSigmoid>(out, stride, rows, vectors, lanes);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
