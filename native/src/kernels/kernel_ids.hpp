// Which kernel a step names, and what its operands are. Views are listed in the order of a step's views; `[a, b]` are
// dimensions. Unless it says so, operands are float32, any strides. neutone_like/compiler/kernels.py has the same numbers.
#pragma once

#include <cstdint>

namespace neutone_like::compiled {

enum KernelId : uint32_t {
    // out, in: the same dimensions, any types and strides. Conversion to float32 rounds to nearest.
    kCopy = 0,

    // A small program that is run for each element of views of the same dimensions (stride 0: the same value along it).
    // Views: constants (rank 1, float64, possibly of dimension 0), then 1 to 32 operands, of either type. What is stored may
    // be the same memory as what is loaded, with the same strides.
    // Integers: 1 to compute in float64 and 0 in float32, the number of registers (at most 32), then instructions of five
    // each: operation (operations.hpp), result register, a, b, c. Load: a is a view (0: the first operand);
    // constant: a is its index; store: a is a register, b is a view. Comparisons give 1 or 0; select: a != 0 ? b : c.
    kPointwise = 1,

    // out[g, m, t] = act(bias[g, m] + sum over addends + sum over segments s and rows k of W[g, m, k] * x_s[g, k, t])
    // Views: out [G, M, T], weights (constant, rank 1: for each g panels of four outputs, [ceil(M / 4)][K][4], K over all
    // segments, zeros beyond M), bias (constant, rank 1: [G][4 * ceil(M / 4)]), segments [G, K_s, T], addends [G, M, T].
    // Out's T is contiguous. Segments and addends have any strides: T contiguous, or of stride 0 (one value for the block),
    // costs nothing; any other order is brought into rows along time first, quickest where K or M is contiguous.
    // Out may be the same memory as an addend with the same strides, and overlaps nothing else.
    // Integers: number of segments (at least 1), number of addends, activation (operations.hpp).
    kAffine = 2,

    // out[c, t] = act(bias[c] + sum over k of W[c, k] * x[c, t * stride + k * dilation]): each channel by itself.
    // Views: out [C, T], weights (constant, rank 2: [C, K], contiguous), bias (constant, rank 1: [C]), x [C, any], whose
    // last dimension is contiguous. Integers: stride, dilation, activation.
    kDepthwise = 3,

    // out[b, m, n] = sum over k of a[b, m, k] * c[b, k, n]. Views: out, a, c, rank 3. Any strides; b may have stride 0.
    kMatmul = 4,

    // Over the last of the dimensions: out has those before it. Views: out, in (rank one higher). Integers: a Reduction.
    // Sums and products are taken in float64 and rounded once; float64 out and in are allowed. The largest and the smallest
    // are NaN where an element is, and of nothing they are refused.
    kReduce = 5,

    // A long short-term memory of one layer and one direction, gates in PyTorch's order i, f, g, o.
    // Views: out [T, H], x [T, I], h [H] and c [H] (read before the first step, written after the last; contiguous),
    // weights (constant, rank 1): hidden [H + 1][4 * P], input [I][4 * P], bias [4 * P], where P is H up to the next
    // multiple of 16, gates beyond H are zero, row H of hidden is zero, and gates i, f, o are multiplied by -log2(e), gate
    // g by -2 log2(e); both biases are added. All strides of out and x.
    // Integers: none; or how weights are stored in fewer bits: for hidden, then for input, the form (0: float32, which hidden
    // can't be then, 1: half precision, 2: int8) and how many rows share a scale, of int8 an even number. In the place of
    // such weights lie panels of 16 columns, [4 * P / 16][rows][16] of halves or [4 * P / 16][rows / 2][16][2] of bytes, rows
    // up to an even number, and behind them float32 scales [ceil(rows / shared)][4 * P]; hidden has no row H. Halves are 0 or
    // normal numbers.
    kLstm = 6,

    // Alike, gates r, z, n. Views: out [T, H], x [T, I], h [H], weights: hidden [H + 1][3 * P], input [I][3 * P],
    // bias [4 * P]: r, z (both biases added), n's input bias, n's hidden bias. r, z times -log2(e), n times -2 log2(e).
    // Integers as of kLstm.
    kGru = 7,

    // h[t] = act(W x[t] + U h[t-1] + b). Views: out [T, H], x [T, I], h [H], weights: hidden [H + 1][P], input [I][P],
    // bias [P]. Integers: activation (tanh or relu), then those of kLstm.
    kRnn = 8,

    // Discrete Fourier transform of the last dimension of time, complex numbers as a last dimension of two.
    // Integers: kind (0: real to half complex, 1: half complex to real, 2: complex to complex, 3: its inverse), length N.
    // Views: out, in, with one dimension of batches or more before those that follow. real -> half: in [..., N] (read as
    // zeros beyond its own length when that is shorter), out [..., N/2+1, 2]. half -> real: in [..., N/2+1, 2], out [..., N].
    // complex: [..., N, 2] both. Not scaled; a factor as the third view (constant, rank 1, one float32 that the result is
    // multiplied by). The fourth: twiddles (constant, rank 2, float64: [N, 2], cos and sin of -2 pi k / N), from which `run`
    // takes what it needs. Any N up to 2^24; the time grows with the largest prime factor. The imaginary parts of a half
    // spectrum's first number, and of its last one when N is even, aren't looked at.
    kFourier = 9,

    // out[a, i, b] = in[a, index[i], b]: views out [A, I, B], in [A, N, B], index [I], or [A, I, B] for an index of each
    // element (all of either type, whole numbers). An index below 0 counts from the end; one outside is moved to the nearest
    // end: it can't be known before. NaN is 0.
    kGather = 10,

    // out[b, t] = sum of in[b, 0..t] (integer 0), product (1), or largest so far (2), in float64, rounded once.
    // Views: out [B, T], in [B, T], of either type.
    kCumulative = 11,

    // Overlap-add: out[c, f * hop + k] += in[c, f, k]; out is emptied first. Views: out [C, T] with T at least
    // (F - 1) * hop + K, in [C, F, K]. Integers: hop.
    kOverlapAdd = 12,

    // s[:, t] = A[:, :, t] s[:, t-1] + b[:, t] for each row of b at once, in float64.
    // Views: out [R, S, T], A [S, S, T], or [R, S, S, T] for one of each row, with stride 0 along T where it doesn't change,
    // b [R, S, T], state [R, S] (read before, written after).
    // Out, A and b of either type, state float64. S is at most 16.
    kRecurrence = 13,

    // out[b] = the index of the largest (integer 0) or smallest (1) of in[b, :]; the first where several are. Views: out [B]
    // (either type; float64 holds every index), in [B, N] of either type. A NaN comes before every number.
    kArgument = 14,

    kKernelCount = 15
};

constexpr uint32_t kRecurrentKernels = 3;  // kLstm, kGru, kRnn

}  // namespace neutone_like::compiled
