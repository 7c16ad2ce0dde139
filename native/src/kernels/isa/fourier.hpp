// Fourier transforms of any length, real ones of even length as complex ones of half of it (Numerical Recipes, chapter 12).
#pragma once

#include "kernels/isa/fourier_passes.hpp"
#include "kernels/isa/grid.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

enum FourierKind : int32_t { kRealToHalf = 0, kHalfToReal = 1, kComplex = 2, kInverse = 3, kFourierKinds = 4 };
constexpr int kMostPasses = 32;
constexpr int64_t kLongestTransform = 1 << 24;
// Vectors may reach beyond a row, and those that are read backwards before it.
constexpr int64_t kBefore = kVectorFloats, kBeyond = 5 * kVectorFloats;

struct FourierPlan {
    int64_t length;    // N
    int64_t computed;  // of the complex transform: N, or N / 2
    bool is_halved;
    int passes;
    Pass pass[kMostPasses];
    int64_t row_floats;      // of a row of the transform, with what is around it
    int64_t twiddle_floats;  // of the real or imaginary parts of all passes' twiddles
};

NEUTONE_LIKE_INLINE int64_t next_radix(int64_t length) {
    if (length % 4 == 0) return 4;
    if (length % 2 == 0) return 2;
    for (int64_t prime = 3; prime * prime <= length; prime += 2)
        if (length % prime == 0) return prime;
    return length;
}

static void make_plan(FourierPlan& plan, int32_t kind, int64_t length) {
    plan.length = length;
    plan.is_halved = kind <= kHalfToReal && length % 2 == 0;
    plan.computed = plan.is_halved ? length / 2 : length;
    plan.passes = 0;
    plan.twiddle_floats = 0;
    int64_t interleaved = 1;
    for (int64_t rest = plan.computed; rest > 1;) {
        const int64_t radix = next_radix(rest);
        rest /= radix;
        plan.pass[plan.passes++] = {radix, rest, interleaved, {nullptr, nullptr}};
        plan.twiddle_floats += (radix - 1) * rest + (radix > 5 ? radix : 0);
        interleaved *= radix;
    }
    plan.twiddle_floats = up_to_multiple(plan.twiddle_floats + kBeyond, kVectorFloats);
    plan.row_floats = kBefore + up_to_multiple(plan.length + 1, kVectorFloats) + kBeyond;
}

// How many dimensions come before those of a transform.
NEUTONE_LIKE_INLINE uint32_t batch_rank(const Operand& view, bool is_complex) {
    return view.rank - (is_complex ? 2u : 1u);  // beyond kMaximumRank where there are too few
}

static Need fourier_check(const Call& call) {
    if (call.view_count != 4) return refuse("four views: out, in, factor and twiddles");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    if (call.integer_count != 2 || call.integers[0] < 0 || call.integers[0] >= kFourierKinds)
        return refuse("a kind from 0 to 3, and a length");
    const int64_t kind = call.integers[0], length = call.integers[1];
    if (length < 1 || length > kLongestTransform) return refuse("a length from 1 to 2^24");
    const Operand &out = call.views[0], &in = call.views[1], &factor = call.views[2], &twiddles = call.views[3];
    if (out.type != kFloat32 || in.type != kFloat32) return refuse("out and in in float32");
    const uint32_t batches = batch_rank(in, kind != kRealToHalf);
    if (batches < 1 || batches > kMaximumRank || batches != batch_rank(out, kind != kHalfToReal))
        return refuse("[..., N] of real and [..., N, 2] of complex numbers");
    for (uint32_t d = 0; d < batches; ++d)
        if (in.dims[d] != out.dims[d]) return refuse("one batch");
    if (kind != kRealToHalf && in.dims[batches + 1] != 2) return refuse("pairs of numbers");
    if (kind != kHalfToReal && out.dims[batches + 1] != 2) return refuse("pairs of numbers");
    const int64_t half = length / 2 + 1, given = in.dims[batches], made = out.dims[batches];
    if (kind == kRealToHalf ? given > length : given != (kind == kHalfToReal ? half : length))
        return refuse("an input of the transform's length");
    if (made != (kind == kRealToHalf ? half : length)) return refuse("an output of the transform's length");
    if (factor.rank != 1 || factor.type != kFloat32 || factor.dims[0] != 1) return refuse("one factor in float32");
    if (twiddles.rank != 2 || twiddles.type != kFloat64 || twiddles.dims[0] != length || twiddles.dims[1] != 2)
        return refuse("twiddles [N, 2] in float64");
    FourierPlan plan;
    make_plan(plan, static_cast<int32_t>(kind), length);
    return scratch(static_cast<uint64_t>(4 * plan.row_floats + 2 * plan.twiddle_floats + 2 * plan.row_floats) * 4);
}

struct FourierMemory {
    ComplexRows rows[2];
    ComplexRows twiddles;
    ComplexRows half_turns;  // W_N^k, for real transforms
};

NEUTONE_LIKE_INLINE FourierMemory memory_of(const FourierPlan& plan, void* at) {
    float* floats = static_cast<float*>(at) + kBefore;
    const int64_t row = plan.row_floats;
    float* const twiddles = static_cast<float*>(at) + 6 * row;
    return {{{floats, floats + row}, {floats + 2 * row, floats + 3 * row}},
            {twiddles, twiddles + plan.twiddle_floats},
            {floats + 4 * row, floats + 5 * row}};
}

// Roots step, 2 step, ... of the table, which has N of them.
static void take_roots(ComplexRows to, const Operand& table, int64_t step, int64_t count) {
    const double* from = table.doubles();
    const int64_t length = table.dims[0], stride = table.strides[0], imaginary = table.strides[1];
    for (int64_t i = 0, root = 0; i < count; ++i) {
        to.real[i] = static_cast<float>(from[root * stride]);
        to.imaginary[i] = static_cast<float>(from[root * stride + imaginary]);
        root += step;
        if (root >= length) root -= length;
    }
}

static void take_twiddles(FourierPlan& plan, const FourierMemory& memory, const Operand& table) {
    ComplexRows to = memory.twiddles;
    for (int i = 0; i < plan.passes; ++i) {
        Pass& pass = plan.pass[i];
        pass.twiddles = to;
        const int64_t step = plan.length / (pass.radix * pass.apart);
        for (int64_t k = 1; k < pass.radix; ++k, to = to + pass.apart) take_roots(to, table, k * step, pass.apart);
        if (pass.radix <= 5) continue;
        take_roots(to, table, plan.length / pass.radix, pass.radix);
        to = to + pass.radix;
    }
    if (plan.is_halved) take_roots(memory.half_turns, table, 1, plan.computed);
}

// Transforms rows[0]; returns which of the two rows then has the result.
NEUTONE_LIKE_INLINE int transform(const FourierPlan& plan, const FourierMemory& memory, bool is_inverse) {
    int place = 0;
    for (int i = 0; i < plan.passes; ++i, place ^= 1) {
        const ComplexRows in = memory.rows[place], out = memory.rows[place ^ 1];
        // With real and imaginary parts exchanged on both sides a transform is its own inverse.
        run_any_pass(plan.pass[i], is_inverse ? turned(out) : out, is_inverse ? turned(in) : in);
    }
    return place;
}

NEUTONE_LIKE_INLINE void read_pairs(ComplexRows to, const float* from, int64_t stride, int64_t pair_stride,
                                    int64_t count) {
    int64_t i = 0;
    if (pair_stride == 1 && stride == 2)
        for (; i + kLanes <= count; i += kLanes) {
            const Floats a = load(from + 2 * i), b = load(from + 2 * i + kLanes);
            put(to + i, Complex<Floats>{unzip<0>(a, b), unzip<1>(a, b)});
        }
    for (; i < count; ++i) put(to + i, Complex<float>{from[i * stride], from[i * stride + pair_stride]});
}

NEUTONE_LIKE_INLINE void write_pairs(float* to, int64_t stride, int64_t pair_stride, ComplexRows from, int64_t count,
                                     float factor) {
    int64_t i = 0;
    if (pair_stride == 1 && stride == 2)
        for (; i + kLanes <= count; i += kLanes) {
            const Floats a = load(from.real + i) * factor, b = load(from.imaginary + i) * factor;
            store(to + 2 * i, zip<1, false>(a, b));
            store(to + 2 * i + kLanes, zip<1, true>(a, b));
        }
    for (; i < count; ++i) {
        to[i * stride] = from.real[i] * factor;
        to[i * stride + pair_stride] = from.imaginary[i] * factor;
    }
}

NEUTONE_LIKE_INLINE void fill_zeros(float* to, int64_t count) {
    const float zero = 0.0f;
    convert_row(to, 1, &zero, 0, count);
}

// Real numbers as the transform takes them: even ones as real parts and odd ones as imaginary, or all as real.
NEUTONE_LIKE_INLINE void read_reals(const FourierPlan& plan, ComplexRows to, const float* from, int64_t stride,
                                    int64_t count) {
    fill_zeros(to.imaginary, plan.computed);
    if (!plan.is_halved) {
        fill_zeros(to.real, plan.computed);
        convert_row(to.real, 1, from, stride, count);
        return;
    }
    read_pairs(to, from, 2 * stride, stride, count / 2);
    fill_zeros(to.real + count / 2, plan.computed - count / 2);
    if (count % 2 != 0) to.real[count / 2] = from[(count - 1) * stride];
}

// The spectrum Z of even samples + i odd samples -> that of all samples: X[k] = (Z[k] + Z*[M - k]) / 2 - i W_N^k (Z[k] -
// Z*[M - k]) / 2. Vectors go over the end of both: memory is there.
static void split_spectrum(const FourierPlan& plan, ComplexRows out, ComplexRows in, ComplexRows half_turns) {
    const int64_t half = plan.computed;
    const float first_real = in.real[0], first_imaginary = in.imaginary[0];
    for (int64_t k = 1; k < half; k += kLanes) {
        Complex<Floats> z, mirrored, turn;
        get(z, in + k);
        get(mirrored, in + (half - k - (kLanes - 1)));
        get(turn, half_turns + k);
        mirrored = {reversed(mirrored.real), -reversed(mirrored.imaginary)};
        put(out + k, (z + mirrored) * 0.5f - times_i(turn * ((z - mirrored) * 0.5f)));
    }
    put(out, Complex<float>{first_real + first_imaginary, 0.0f});
    put(out + half, Complex<float>{first_real - first_imaginary, 0.0f});
}

// And back: Z[k] = X[k] + X*[M - k] + i W_N^-k (X[k] - X*[M - k]).
static void join_spectrum(const FourierPlan& plan, ComplexRows out, ComplexRows in, ComplexRows half_turns) {
    const int64_t half = plan.computed;
    const float first = in.real[0], last = in.real[half];
    for (int64_t k = 1; k < half; k += kLanes) {
        Complex<Floats> x, mirrored, turn;
        get(x, in + k);
        get(mirrored, in + (half - k - (kLanes - 1)));
        get(turn, half_turns + k);
        mirrored = {reversed(mirrored.real), -reversed(mirrored.imaginary)};
        turn.imaginary = -turn.imaginary;
        put(out + k, (x + mirrored) + times_i(turn * (x - mirrored)));
    }
    put(out, Complex<float>{first + last, first - last});
}

// The upper half of a spectrum of odd length mirrors the lower.
static void mirror_spectrum(const FourierPlan& plan, ComplexRows rows) {
    rows.imaginary[0] = 0.0f;
    for (int64_t k = 1; k < (plan.length + 1) / 2; ++k)
        put(rows + (plan.length - k), Complex<float>{rows.real[k], -rows.imaginary[k]});
}

// One transform's numbers, and how far they and the parts of complex ones are apart.
struct FourierRows {
    float* out;
    const float* in;
    int64_t out_stride, out_pair, in_stride, in_pair;
    int64_t given;  // of a real input
    float factor;
};

static void real_to_half(const FourierPlan& plan, const FourierMemory& memory, const FourierRows& rows) {
    read_reals(plan, memory.rows[0], rows.in, rows.in_stride, rows.given);
    int place = transform(plan, memory, false);
    if (plan.is_halved) {
        split_spectrum(plan, memory.rows[place ^ 1], memory.rows[place], memory.half_turns);
        place ^= 1;
    }
    write_pairs(rows.out, rows.out_stride, rows.out_pair, memory.rows[place], plan.length / 2 + 1, rows.factor);
}

static void half_to_real(const FourierPlan& plan, const FourierMemory& memory, const FourierRows& rows) {
    const ComplexRows first = memory.rows[plan.is_halved ? 1 : 0];
    read_pairs(first, rows.in, rows.in_stride, rows.in_pair, plan.length / 2 + 1);
    if (plan.is_halved)
        join_spectrum(plan, memory.rows[0], first, memory.half_turns);
    else
        mirror_spectrum(plan, first);
    const ComplexRows result = memory.rows[transform(plan, memory, true)];
    if (plan.is_halved)
        return write_pairs(rows.out, 2 * rows.out_stride, rows.out_stride, result, plan.computed, rows.factor);
    for (int64_t i = 0; i < plan.length; ++i) rows.out[i * rows.out_stride] = result.real[i] * rows.factor;
}

static void complex_to_complex(const FourierPlan& plan, const FourierMemory& memory, const FourierRows& rows,
                               bool is_inverse) {
    read_pairs(memory.rows[0], rows.in, rows.in_stride, rows.in_pair, plan.length);
    const ComplexRows result = memory.rows[transform(plan, memory, is_inverse)];
    write_pairs(rows.out, rows.out_stride, rows.out_pair, result, plan.length, rows.factor);
}

static void transform_rows(const FourierPlan& plan, const FourierMemory& memory, const FourierRows& rows,
                           int32_t kind) {
    if (kind == kRealToHalf)
        real_to_half(plan, memory, rows);
    else if (kind == kHalfToReal)
        half_to_real(plan, memory, rows);
    else
        complex_to_complex(plan, memory, rows, kind == kInverse);
}

static void fourier_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    if (is_empty(out)) return;
    const int32_t kind = call.integers[0];
    FourierPlan plan;
    make_plan(plan, kind, call.integers[1]);
    const FourierMemory memory = memory_of(plan, call.scratch);
    take_twiddles(plan, memory, call.views[3]);
    const uint32_t batches = batch_rank(in, kind != kRealToHalf);
    FourierRows rows = {nullptr, nullptr,          out.strides[batches],   0, in.strides[batches],
                        0,       in.dims[batches], *call.views[2].floats()};
    if (kind != kHalfToReal) rows.out_pair = out.strides[batches + 1];
    if (kind != kRealToHalf) rows.in_pair = in.strides[batches + 1];
    Operand outer[2] = {out, in};
    outer[0].rank = outer[1].rank = batches;
    Grid<2> grid;
    make_grid(grid, outer, 2);
    Walk<2> walk(grid);
    do
        for (int64_t r = 0; r < grid.rows(); ++r)
            for (int64_t c = 0; c < grid.columns(); ++c) {
                rows.out = out.floats() + walk.offsets[0] + r * grid.row_stride(0) + c * grid.column_stride(0);
                rows.in = in.floats() + walk.offsets[1] + r * grid.row_stride(1) + c * grid.column_stride(1);
                transform_rows(plan, memory, rows, kind);
            }
    while (walk.next());
}

constexpr Kernel fourier_kernel = {"fourier", fourier_check, fourier_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
