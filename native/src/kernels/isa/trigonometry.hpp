// Sine, cosine, tangent and their inverses, and the error function, of doubles. The argument of a sine is reduced by
// multiples of pi / 2 in four parts (Cody and Waite), beyond 2^26 of them digit by digit (Payne and Hanek). Sine and cosine
// are Taylor's polynomials, the other two interpolations at Chebyshev points with errors below 1e-17.
#pragma once

#include "kernels/isa/exponentials.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr double kHalfPi = 1.57079632679489661923;
constexpr double kHalfPiLow = 6.123233995736766036e-17;

// x - quarter * pi / 2, within pi / 4 of 0
struct Angle {
    Doubles rest;
    LongInts quarter;
};

// The binary digits of 2 / pi behind the point.
constexpr uint32_t kTwoOverPi[] = {0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab,
                                   0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
                                   0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b,
                                   0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7,
                                   0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1,
                                   0x1f8d5d08, 0x56033046, 0xfc7b6bab, 0xf0cfbc20, 0x9af4361d};

// 64 bits of 2 / pi from bit `first` on, counted from behind the point; zeros before it.
NEUTONE_LIKE_INLINE uint64_t digits_from(int first) {
    uint64_t bits = 0;
    for (int bit = first; bit < first + 64;) {
        const int word = bit >= 0 ? bit / 32 : -1, inside = bit - word * 32;
        const int taken = 32 - inside < first + 64 - bit ? 32 - inside : first + 64 - bit;
        const uint64_t value = word >= 0 && word < 40 ? kTwoOverPi[word] : 0;
        bits = (bits << taken) | ((value << inside & 0xffffffffu) >> (32 - taken));
        bit += taken;
    }
    return bits;
}

// One large angle: its whole number of mantissa times three pieces of 2 / pi; what makes multiples of 4 is left out.
static void reduce_large(double x, double* rest, int64_t* quarter) {
    uint64_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1075;
    if (exponent == 0x7ff - 1075) {
        *rest = kNan;
        *quarter = 0;
        return;
    }
    const uint64_t mantissa = (bits & 0x000fffffffffffffu) | 0x0010000000000000u;
    // x * 2 / pi modulo 4, as 2 bits before the point and 190 behind it: the words of a 192-bit product.
    uint32_t digits[6], product[6] = {0, 0, 0, 0, 0, 0};
    NEUTONE_LIKE_UNROLL for (int i = 0; i < 3; ++i) {
        const uint64_t piece = digits_from(exponent - 2 + 64 * i);
        digits[2 * i] = static_cast<uint32_t>(piece >> 32);
        digits[2 * i + 1] = static_cast<uint32_t>(piece);
    }
    const uint32_t factors[2] = {static_cast<uint32_t>(mantissa), static_cast<uint32_t>(mantissa >> 32)};
    for (int f = 0; f < 2; ++f) {
        uint64_t carry = 0;
        for (int i = 5; i - f >= 0; --i) {
            const uint64_t sum = static_cast<uint64_t>(digits[i]) * factors[f] + product[i - f] + carry;
            product[i - f] = static_cast<uint32_t>(sum);
            carry = sum >> 32;
        }
    }
    const uint64_t top = static_cast<uint64_t>(product[0]) << 32 | product[1];
    const uint64_t next = static_cast<uint64_t>(product[2]) << 32 | product[3];
    int64_t whole_quarters = static_cast<int64_t>(top >> 62);
    const bool up = (top >> 61 & 1) != 0;
    // The fraction, from -1/2 to 1/2, as 62 + 64 bits; two's complement makes it negative.
    uint64_t high = top << 2 | next >> 62, low = next << 2 | static_cast<uint64_t>(product[4]) >> 30;
    if (up) {
        ++whole_quarters;
        low = ~low + 1;
        high = ~high + (low == 0 ? 1 : 0);
    }
    // Each piece is exact as a double, and the largest that isn't 0 leads.
    const double fraction = static_cast<double>(static_cast<uint32_t>(high >> 32)) * 0x1p-32 +
                            (static_cast<double>(static_cast<uint32_t>(high)) * 0x1p-64 +
                             (static_cast<double>(static_cast<uint32_t>(low >> 32)) * 0x1p-96 +
                              static_cast<double>(static_cast<uint32_t>(low)) * 0x1p-128));
    const bool negative = up != (x < 0.0);
    *rest = (negative ? -fraction : fraction) * kHalfPi;
    *quarter = x < 0.0 ? -whole_quarters : whole_quarters;
}

static __attribute__((noinline)) Angle with_large_reduced(Angle angle, Doubles x) {
    for (int lane = 0; lane < kDoubleLanes; ++lane) {
        if (x[lane] > -0x1p26 && x[lane] < 0x1p26) continue;
        double rest;
        int64_t quarter;
        reduce_large(x[lane], &rest, &quarter);
        angle.rest[lane] = rest;
        angle.quarter[lane] = quarter;
    }
    return angle;
}

template <class For>
NEUTONE_LIKE_INLINE Angle reduced_angle(Doubles x) {
    const Doubles moved = x * (1.0 / kHalfPi) + kLongRounder, k = moved - kLongRounder;
    // 27 bits each in the first three: their products with k < 2^26 are exact, and so are the differences.
    const Doubles first = (x - k * 0x1.921fb54000000p+0) - k * 0x1.10b4610000000p-30;
    Doubles rest = first - k * 0x1.a626330000000p-58;
    if constexpr (sizeof(For) == sizeof(double)) rest = rest - k * 0x1.45c06e0e68948p-86;
    const Angle angle = {rest, whole(moved)};
    const LongInts large = ~(absolute(x) < 0x1p26);
    return any(large) ? with_large_reduced(angle, x) : angle;
}

constexpr double kSineTerms[] = {-1.0 / 6,        1.0 / 120,         -1.0 / 5040,         1.0 / 362880,
                                 -1.0 / 39916800, 1.0 / 6227020800., -1.0 / 1307674368e3, 1.0 / 355687428096e3};
constexpr double kCosineTerms[] = {1.0 / 24,        -1.0 / 720,          1.0 / 40320,        -1.0 / 3628800,
                                   1.0 / 479001600, -1.0 / 87178291200., 1.0 / 20922789888e3};

template <class For>
NEUTONE_LIKE_INLINE Doubles sine_within(Doubles r) {
    const Doubles z = r * r;
    return r + r * (z * polynomial<terms<For>(8, 4)>(z, kSineTerms));
}
template <class For>
NEUTONE_LIKE_INLINE Doubles cosine_within(Doubles r) {
    const Doubles z = r * r, half = 0.5 * z, near = 1.0 - half;
    return near + (((1.0 - near) - half) + z * z * polynomial<terms<For>(7, 4)>(z, kCosineTerms));
}

template <class For>
NEUTONE_LIKE_INLINE Doubles of_quarter(Angle angle, LongInts quarter) {
    const LongInts is_odd = (quarter & 1) != 0;
    const Doubles result = select(is_odd, cosine_within<For>(angle.rest), sine_within<For>(angle.rest));
    return with_sign(result, (LongWords)(quarter & 2) << 62);
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles sine(Doubles x) {
    const Angle angle = reduced_angle<For>(x);
    return select(x == 0.0, x, of_quarter<For>(angle, angle.quarter));
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles cosine(Doubles x) {
    const Angle angle = reduced_angle<For>(x);
    return of_quarter<For>(angle, (LongInts)((LongWords)angle.quarter + 1));
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles tangent(Doubles x) {
    const Angle angle = reduced_angle<For>(x);
    const Doubles s = sine_within<For>(angle.rest), c = cosine_within<For>(angle.rest);
    const LongInts is_odd = (angle.quarter & 1) != 0;
    return select(x == 0.0, x, select(is_odd, -c, s) / select(is_odd, s, c));
}

// (atan(t) / t - 1) / t^2 in t^2, |t| <= sqrt(2) - 1, for doubles and for floats
constexpr double kArctangentTerms[] = {-0.3333333333333311,  0.19999999999937662,  -0.14285714278936412,
                                       0.11111110729348284,  -0.09090896360153682, 0.076920372915042,
                                       -0.06662859645211773, 0.05846201439136281,  -0.05032023898656826,
                                       0.03788631255736948,  -0.017718161457752575};
constexpr double kFewArctangentTerms[] = {-0.33333331717946285, 0.19999530578472646, -0.14263613418626492,
                                          0.10740043853644628, -0.06439742028875617};

template <class For>
NEUTONE_LIKE_INLINE Doubles arctangent_within(Doubles t) {
    const Doubles z = t * t;
    if constexpr (sizeof(For) == sizeof(float))
        return t + t * (z * polynomial<5>(z, kFewArctangentTerms));
    else
        return t + t * (z * polynomial<11>(z, kArctangentTerms));
}

// The angle of (x, y) with 0 <= y <= x: of y / x, or beyond pi / 8 what it differs from pi / 4 by.
template <class For>
NEUTONE_LIKE_INLINE Doubles angle_below_diagonal(Doubles y, Doubles x) {
    const LongInts is_far = y > 0.41421356237309504880 * x;
    const Doubles t = select(is_far, y - x, y) / select(is_far, y + x, x);
    const Doubles angle = arctangent_within<For>(t);
    return select(is_far, 0.5 * kHalfPi + (angle + 0.5 * kHalfPiLow), angle);
}

template <class For = double>
NEUTONE_LIKE_INLINE Doubles arctangent2(Doubles y, Doubles x) {
    Doubles height = absolute(y), width = absolute(x);
    // Two infinities are at the diagonal, two zeros at 0; sums must not overflow.
    const LongInts both = (height == kInfinity) & (width == kInfinity), none = (height == 0.0) & (width == 0.0);
    const LongInts huge = (height > 0x1p1000) | (width > 0x1p1000);
    height = select(both, 1.0, select(huge, height * 0x1p-10, height));
    width = select(both | none, 1.0, select(huge, width * 0x1p-10, width));
    const LongInts is_steep = height > width;
    Doubles angle = angle_below_diagonal<For>(select(is_steep, width, height), select(is_steep, height, width));
    angle = select(is_steep, kHalfPi - (angle - kHalfPiLow), angle);
    const LongInts is_left = (LongInts)sign_of(x) != 0;
    angle = select(is_left, 2.0 * kHalfPi - (angle - 2.0 * kHalfPiLow), angle);
    angle = select((x != x) | (y != y), kNan, angle);
    return (Doubles)((LongWords)angle | sign_of(y));
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles arctangent(Doubles x) {
    return arctangent2<For>(x, splat(1.0));
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles arcsine(Doubles x) {
    return arctangent2<For>(x, square_root((1.0 - x) * (1.0 + x)));
}
template <class For = double>
NEUTONE_LIKE_INLINE Doubles arccosine(Doubles x) {
    return arctangent2<For>(square_root((1.0 - x) * (1.0 + x)), x);
}

// erf(x) / x in x^2, |x| <= 1
constexpr double kErfTerms[] = {1.1283791670955126,      -0.3761263890318354,     0.11283791670944811,
                                -0.02686617064320501,    0.005223977606836427,    -0.0008548325961488908,
                                0.00012055294476229159,  -1.4924728448752619e-05, 1.644731779004653e-06,
                                -1.6207646968128941e-07, 1.3716372001911616e-08,  -7.788878382133444e-10};
// e^(x^2) (1 - erf(x)) in (x - 2) / (x + 2), 1 <= x <= 6.1
constexpr double kComplementTerms[] = {0.25539567631050575,     -0.42718584741395754,   0.24165819424247106,
                                       -0.07897858101591725,    0.003732892403346943,   0.006997461751541636,
                                       -0.0008471431930574799,  -0.0009819774184897723, 4.355414845630851e-05,
                                       0.00017436823747594765,  2.7542978666280443e-05, -2.7655426167674516e-05,
                                       -1.4061974851873167e-05, 1.8407491291735274e-06, 3.893494460718246e-06};

NEUTONE_LIKE_INLINE Doubles error_function(Doubles x) {
    const Doubles size = within(absolute(x), 0.0, 6.1), z = size * size;
    const Doubles near = size * polynomial<12>(z, kErfTerms);
    const Doubles far = 1.0 - exp(-z) * polynomial<15>((size - 2.0) / (size + 2.0), kComplementTerms);
    return (Doubles)((LongWords)select(size < 1.0, near, far) | sign_of(x));
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
