// How the affine kernel goes through a product: in columns of tiles that fit the registers.
#pragma once

#include "kernels/isa/affine_tile.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// As many vectors of time by as many rows as there are registers for the sums, the inputs and a weight. Fewer of the one
// leave room for more of the other: sums must be many enough for the processor not to wait for one before it adds to it
// again. Browsers keep one of 16 registers for themselves, and a sum that lies in memory is waited for: there two rows, whose
// weights stay in registers while the inputs come one by one.
#if defined(__wasm_relaxed_simd__)
constexpr int kMostVectors = 6, kMostRows = 2;
#elif defined(__wasm__)
constexpr int kMostVectors = 5, kMostRows = 2;  // without fused products one more register is needed
#elif defined(__AVX__)
constexpr int kMostVectors = kRegisters == 32 ? 4 : 3, kMostRows = 4;
#else
constexpr int kMostVectors = kRegisters == 32 ? 4 : 2, kMostRows = 4;
#endif
constexpr int kMostVectorsOfOneRow = 8;
constexpr int most_rows(int vectors) {
    if (vectors == 1) return kRegisters == 32 ? 16 : 8;
    if (vectors == 2) return kRegisters == 32 ? 8 : 4;
    return kRegisters == 32 && vectors == 3 ? 8 : kMostRows;
}

template <int kRows, int kVectors>
NEUTONE_LIKE_INLINE int32_t affine_tiles(const AffineBlock& block, int32_t t, int32_t m, int32_t end, int32_t lanes) {
    if constexpr (kRows <= most_rows(kVectors)) {
        for (; m + kRows <= end; m += kRows) affine_tile<kRows, kVectors>(block, t, m, lanes);
    }
    return m;
}

// Outputs `first` to `end` for kVectors vectors of time from t on.
template <int kVectors>
NEUTONE_LIKE_ALONE static void affine_column(const AffineBlock& block, int32_t t, int32_t first, int32_t end,
                                             int32_t lanes) {
    int32_t m = affine_tiles<16, kVectors>(block, t, first, end, lanes);
    m = affine_tiles<8, kVectors>(block, t, m, end, lanes);
    m = affine_tiles<4, kVectors>(block, t, m, end, lanes);
    m = affine_tiles<3, kVectors>(block, t, m, end, lanes);
    m = affine_tiles<2, kVectors>(block, t, m, end, lanes);
    affine_tiles<1, kVectors>(block, t, m, end, lanes);
}

// A single output: more vectors of time make up for the rows that there aren't.
template <int kVectors>
NEUTONE_LIKE_ALONE static void affine_row(const AffineBlock& block, int32_t t, int32_t m, int32_t, int32_t lanes) {
    affine_tile<1, kVectors>(block, t, m, lanes);
}

typedef void (*AffineColumn)(const AffineBlock& block, int32_t t, int32_t first, int32_t end, int32_t lanes);
constexpr AffineColumn kColumns[] = {affine_column<1>,
                                     affine_column<2>,
                                     affine_column < kMostVectors < 3 ? 1 : 3 >,
                                     affine_column < kMostVectors < 4 ? 1 : 4 >,
                                     affine_column < kMostVectors < 5 ? 1 : 5 >,
                                     affine_column < kMostVectors < 6 ? 1 : 6 > };
constexpr AffineColumn kRowColumns[] = {affine_row<1>, affine_row<2>, affine_row<3>, affine_row<4>,
                                        affine_row<5>, affine_row<6>, affine_row<7>, affine_row<8>};

// How many values the last vector of the time has.
NEUTONE_LIKE_INLINE int32_t last_lanes(const AffineBlock& block) {
    const bool is_whole = block.is_padded || block.samples % kLanes == 0;
    return is_whole ? kLanes : block.samples % kLanes;
}

// Outputs `first` to `end` for `width` vectors from t on, the last ones of the time or not.
static void affine_column_at(const AffineBlock& block, int32_t t, int32_t first, int32_t end, int32_t width,
                             bool is_last) {
    const int32_t lanes = is_last ? last_lanes(block) : kLanes;
    (end - first == 1 ? kRowColumns : kColumns)[width - 1](block, t, first, end, lanes);
    activate_rows(block.activation, block.out + first * block.out_stride + t, block.out_stride, end - first, width,
                  lanes);
}

// Browsers make the constants of a loop anew for each of its runs: few long runs there. Elsewhere what was just computed is
// the nearest.
#if defined(__wasm__)
constexpr bool kActivatesLast = true;
#else
constexpr bool kActivatesLast = false;
#endif

static void affine_small(AffineBlock& block) {
    const int32_t activation = kActivatesLast ? block.activation : kNone;
    if (kActivatesLast) block.activation = kNone;
    const int32_t most = block.outputs == 1 ? kMostVectorsOfOneRow : kMostVectors;
    const int32_t all = (block.samples + kLanes - 1) / kLanes;
    for (int32_t t = 0, vectors = all, width; vectors > 0; vectors -= width, t += width * kLanes) {
        width = column_width(vectors, most);
        affine_column_at(block, t, 0, block.outputs, width, width == vectors);
    }
    activate_rows(activation, block.out, block.out_stride, block.outputs, all, last_lanes(block));
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
