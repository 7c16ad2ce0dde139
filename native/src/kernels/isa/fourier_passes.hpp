// A complex Fourier transform of any length in passes that put their results in order as they go (Stockham). A pass of
// radix r takes the transforms of length n, of which `interleaved` lie between each other, to r times as many of n / r:
// out[q + s (r p + k)] = W_n^(p k) * sum over i of in[q + s (p + m i)] W_r^(i k), m = n / r, s = interleaved.
// Real and imaginary parts are apart, so that every loop is one of vectors.
#pragma once

#include "kernels/isa/rows.hpp"
#include "kernels/isa/shuffles.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

struct ComplexRows {
    float* real;
    float* imaginary;
};
NEUTONE_LIKE_INLINE ComplexRows operator+(ComplexRows rows, int64_t offset) {
    return {rows.real + offset, rows.imaginary + offset};
}
NEUTONE_LIKE_INLINE ComplexRows turned(ComplexRows rows) { return {rows.imaginary, rows.real}; }

template <class V>
struct Complex {
    V real, imaginary;
};
template <class V>
NEUTONE_LIKE_INLINE Complex<V> operator+(Complex<V> a, Complex<V> b) {
    return {a.real + b.real, a.imaginary + b.imaginary};
}
template <class V>
NEUTONE_LIKE_INLINE Complex<V> operator-(Complex<V> a, Complex<V> b) {
    return {a.real - b.real, a.imaginary - b.imaginary};
}
template <class V>
NEUTONE_LIKE_INLINE Complex<V> operator*(Complex<V> a, Complex<V> b) {
    return {a.real * b.real - a.imaginary * b.imaginary, a.real * b.imaginary + a.imaginary * b.real};
}
template <class V>
NEUTONE_LIKE_INLINE Complex<V> operator*(Complex<V> a, float b) {
    return {a.real * b, a.imaginary * b};
}
template <class V>
NEUTONE_LIKE_INLINE Complex<V> times_i(Complex<V> a) {
    return {-a.imaginary, a.real};
}

NEUTONE_LIKE_INLINE void get(Complex<float>& to, ComplexRows from) { to = {*from.real, *from.imaginary}; }
NEUTONE_LIKE_INLINE void get(Complex<Floats>& to, ComplexRows from) { to = {load(from.real), load(from.imaginary)}; }
NEUTONE_LIKE_INLINE void put(ComplexRows to, Complex<float> value) {
    *to.real = value.real;
    *to.imaginary = value.imaginary;
}
NEUTONE_LIKE_INLINE void put(ComplexRows to, Complex<Floats> value) {
    store(to.real, value.real);
    store(to.imaginary, value.imaginary);
}
NEUTONE_LIKE_INLINE void spread(Complex<float>& to, float real, float imaginary) { to = {real, imaginary}; }
NEUTONE_LIKE_INLINE void spread(Complex<Floats>& to, float real, float imaginary) {
    to = {splat(real), splat(imaginary)};
}

template <class V>
NEUTONE_LIKE_INLINE void transform_few(Complex<V> (&x)[2]) {
    const Complex<V> sum = x[0] + x[1];
    x[1] = x[0] - x[1];
    x[0] = sum;
}
template <class V>
NEUTONE_LIKE_INLINE void transform_few(Complex<V> (&x)[3]) {
    const Complex<V> sum = x[1] + x[2], middle = x[0] - sum * 0.5f;
    const Complex<V> turn = times_i((x[1] - x[2]) * 0.86602540378443864676f);
    x[0] = x[0] + sum;
    x[1] = middle - turn;
    x[2] = middle + turn;
}
template <class V>
NEUTONE_LIKE_INLINE void transform_few(Complex<V> (&x)[4]) {
    const Complex<V> even = x[0] + x[2], even_difference = x[0] - x[2], odd = x[1] + x[3];
    const Complex<V> turn = times_i(x[1] - x[3]);
    x[0] = even + odd;
    x[1] = even_difference - turn;
    x[2] = even - odd;
    x[3] = even_difference + turn;
}
template <class V>
NEUTONE_LIKE_INLINE void transform_few(Complex<V> (&x)[5]) {
    constexpr float kCosine1 = 0.30901699437494742410f, kCosine2 = -0.80901699437494742410f;
    constexpr float kSine1 = 0.95105651629515357212f, kSine2 = 0.58778525229247312917f;
    const Complex<V> sum1 = x[1] + x[4], sum2 = x[2] + x[3], difference1 = x[1] - x[4], difference2 = x[2] - x[3];
    const Complex<V> middle1 = x[0] + sum1 * kCosine1 + sum2 * kCosine2,
                     middle2 = x[0] + sum1 * kCosine2 + sum2 * kCosine1;
    const Complex<V> turn1 = times_i(difference1 * kSine1 + difference2 * kSine2);
    const Complex<V> turn2 = times_i(difference1 * kSine2 - difference2 * kSine1);
    x[0] = x[0] + sum1 + sum2;
    x[1] = middle1 - turn1;
    x[2] = middle2 - turn2;
    x[3] = middle2 + turn2;
    x[4] = middle1 + turn1;
}

struct Pass {
    int64_t radix;
    int64_t apart;         // m
    int64_t interleaved;   // s
    ComplexRows twiddles;  // [radix - 1][m]; of a radix beyond 5: and then the `radix` roots of one
};

template <int kRadix, class V>
NEUTONE_LIKE_INLINE void pass_step(const Pass& pass, ComplexRows out, ComplexRows in, const Complex<float>* factors) {
    Complex<V> x[kRadix];
    NEUTONE_LIKE_UNROLL for (int i = 0; i < kRadix; ++i) get(x[i], in + i * pass.apart * pass.interleaved);
    transform_few(x);
    put(out, x[0]);
    NEUTONE_LIKE_UNROLL for (int k = 1; k < kRadix; ++k) {
        Complex<V> factor;
        spread(factor, factors[k].real, factors[k].imaginary);
        put(out + k * pass.interleaved, x[k] * factor);
    }
}

template <int kRadix>
static void run_pass(const Pass& pass, ComplexRows out, ComplexRows in) {
    for (int64_t p = 0; p < pass.apart; ++p) {
        Complex<float> factors[kRadix];
        NEUTONE_LIKE_UNROLL for (int k = 1; k < kRadix; ++k)
            get(factors[k], pass.twiddles + ((k - 1) * pass.apart + p));
        const ComplexRows from = in + p * pass.interleaved, to = out + p * pass.interleaved * kRadix;
        int64_t q = 0;
        for (; q + kLanes <= pass.interleaved; q += kLanes) pass_step<kRadix, Floats>(pass, to + q, from + q, factors);
        for (; q < pass.interleaved; ++q) pass_step<kRadix, float>(pass, to + q, from + q, factors);
    }
}

// The first two passes of radix 4, where vectors hold several p: results are put by turns. kUnit is `interleaved`, 1 or 4.
template <int kUnit>
static void run_early_pass(const Pass& pass, ComplexRows out, ComplexRows in) {
    const int64_t quarter = pass.apart * kUnit;
    for (int64_t j = 0; j < quarter; j += kLanes) {
        Complex<Floats> x[4];
        NEUTONE_LIKE_UNROLL for (int i = 0; i < 4; ++i) get(x[i], in + (j + i * quarter));
        transform_few(x);
        NEUTONE_LIKE_UNROLL for (int k = 1; k < 4; ++k) {
            Complex<Floats> factor;
            get(factor, pass.twiddles + ((k - 1) * pass.apart + j / kUnit));
            factor.real = repeated<kUnit>(factor.real, Counting<kLanes>{});
            factor.imaginary = repeated<kUnit>(factor.imaginary, Counting<kLanes>{});
            x[k] = x[k] * factor;
        }
        Floats real[4] = {x[0].real, x[1].real, x[2].real, x[3].real};
        Floats imaginary[4] = {x[0].imaginary, x[1].imaginary, x[2].imaginary, x[3].imaginary};
        if constexpr (kUnit < kLanes) {
            zip_four<kUnit>(real);
            zip_four<kUnit>(imaginary);
        }
        NEUTONE_LIKE_UNROLL for (int k = 0; k < 4; ++k) put(out + (4 * j + k * kLanes), {real[k], imaginary[k]});
    }
}

constexpr int64_t kSummedAtOnce = 16;

// Parts first..last - 1 of output k, in the order of the inputs.
template <class V>
NEUTONE_LIKE_INLINE Complex<V> prime_sum(const Pass& pass, ComplexRows in, int64_t k, int64_t first, int64_t last) {
    const int64_t distance = pass.apart * pass.interleaved;
    const ComplexRows roots = pass.twiddles + (pass.radix - 1) * pass.apart;
    Complex<V> sum;
    spread(sum, 0.0f, 0.0f);
    for (int64_t i = first, turn = first * k % pass.radix; i < last; ++i) {
        Complex<V> value, root;
        get(value, in + i * distance);
        spread(root, roots.real[turn], roots.imaginary[turn]);
        sum = sum + value * root;
        turn += k;
        if (turn >= pass.radix) turn -= pass.radix;
    }
    return sum;
}

// A radix that is a larger prime: sums as they are defined, in pieces, which keeps the rounding small.
template <class V>
NEUTONE_LIKE_INLINE void prime_step(const Pass& pass, ComplexRows out, ComplexRows in, int64_t p) {
    for (int64_t k = 0; k < pass.radix; ++k) {
        Complex<V> sum;
        spread(sum, 0.0f, 0.0f);
        for (int64_t i = 0; i < pass.radix; i += kSummedAtOnce)
            sum = sum + prime_sum<V>(pass, in, k, i, smaller(pass.radix, i + kSummedAtOnce));
        Complex<V> factor;
        const ComplexRows twiddle = pass.twiddles + (k > 0 ? (k - 1) * pass.apart + p : 0);
        spread(factor, k > 0 ? *twiddle.real : 1.0f, k > 0 ? *twiddle.imaginary : 0.0f);
        put(out + k * pass.interleaved, sum * factor);
    }
}
static void run_prime_pass(const Pass& pass, ComplexRows out, ComplexRows in) {
    for (int64_t p = 0; p < pass.apart; ++p) {
        const ComplexRows from = in + p * pass.interleaved, to = out + p * pass.interleaved * pass.radix;
        int64_t q = 0;
        for (; q + kLanes <= pass.interleaved; q += kLanes) prime_step<Floats>(pass, to + q, from + q, p);
        for (; q < pass.interleaved; ++q) prime_step<float>(pass, to + q, from + q, p);
    }
}

static void run_any_pass(const Pass& pass, ComplexRows out, ComplexRows in) {
    if (pass.radix == 4 && pass.interleaved == 1) return run_early_pass<1>(pass, out, in);
    if (pass.radix == 4 && pass.interleaved == 4) return run_early_pass<4>(pass, out, in);
    switch (pass.radix) {
        case 2: return run_pass<2>(pass, out, in);
        case 3: return run_pass<3>(pass, out, in);
        case 4: return run_pass<4>(pass, out, in);
        case 5: return run_pass<5>(pass, out, in);
        default: return run_prime_pass(pass, out, in);
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
