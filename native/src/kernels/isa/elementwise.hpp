// The operations of programs, each for one vector of floats or doubles.
#pragma once

#include "kernels/isa/precise.hpp"
#include "kernels/isa/remainders.hpp"
#include "kernels/isa/rows.hpp"
#include "kernels/isa/trigonometry.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

template <class Element>
struct VectorOf;
template <>
struct VectorOf<float> {
    typedef Floats Vector;
    typedef Ints Mask;
    static constexpr int kCount = kLanes;
};
template <>
struct VectorOf<double> {
    typedef Doubles Vector;
    typedef LongInts Mask;
    static constexpr int kCount = kDoubleLanes;
};

// A comparison's result as a number. Which type of integers a mask has is the compiler's choice.
template <class V, class Mask>
NEUTONE_LIKE_INLINE V one_or_zero(Mask mask) {
    return (V)(mask & (Mask)(V{} + 1.0f));
}
NEUTONE_LIKE_INLINE Floats absolute(Floats x) { return (Floats)((Ints)x & 0x7fffffff); }

// The smaller and the larger; NaN where either is.
template <class V>
NEUTONE_LIKE_INLINE V smaller_or_nan(V a, V b) {
    return ((a == a) & (b == b)) ? (a < b ? a : b) : a + b;
}
template <class V>
NEUTONE_LIKE_INLINE V larger_or_nan(V a, V b) {
    return ((a == a) & (b == b)) ? (a > b ? a : b) : a + b;
}

// The functions of doubles that have a faster form for floats, under the same names.
NEUTONE_LIKE_INLINE Doubles precise_tanh(Doubles a) { return tanh(a); }
NEUTONE_LIKE_INLINE Doubles precise_sigmoid(Doubles a) { return sigmoid(a); }
NEUTONE_LIKE_INLINE Doubles precise_exp(Doubles a) { return exp(a); }
NEUTONE_LIKE_INLINE Doubles precise_expm1(Doubles a) { return expm1(a); }

// Two operands, of whatever type.
template <int32_t kOperation, class V>
NEUTONE_LIKE_INLINE V simple(V a, V b) {
    if constexpr (kOperation == kAdd) return a + b;
    if constexpr (kOperation == kSubtract) return a - b;
    if constexpr (kOperation == kMultiply) return a * b;
    if constexpr (kOperation == kDivide) return a / b;
    if constexpr (kOperation == kMinimum) return smaller_or_nan(a, b);
    if constexpr (kOperation == kMaximum) return larger_or_nan(a, b);
    if constexpr (kOperation == kLess) return one_or_zero<V>(a < b);
    if constexpr (kOperation == kLessEqual) return one_or_zero<V>(a <= b);
    if constexpr (kOperation == kEqual) return one_or_zero<V>(a == b);
    if constexpr (kOperation == kNotEqual) return one_or_zero<V>(a != b);
    if constexpr (kOperation == kGreater) return one_or_zero<V>(a > b);
    if constexpr (kOperation == kGreaterEqual) return one_or_zero<V>(a >= b);
    if constexpr (kOperation == kAnd) return one_or_zero<V>((a != V{}) & (b != V{}));
    if constexpr (kOperation == kOr) return one_or_zero<V>((a != V{}) | (b != V{}));
}

template <int32_t kOperation, class V>
NEUTONE_LIKE_INLINE V simple(V a) {
    if constexpr (kOperation == kNegate) return -a;
    if constexpr (kOperation == kAbsolute) return absolute(a);
    if constexpr (kOperation == kReciprocal) return 1.0f / a;
    if constexpr (kOperation == kSign) return one_or_zero<V>(a > V{}) - one_or_zero<V>(a < V{});
    if constexpr (kOperation == kNot) return one_or_zero<V>(a == V{});
    if constexpr (kOperation == kIsNan) return one_or_zero<V>(a != a);
    if constexpr (kOperation == kHyperbolicTangent) return precise_tanh(a);
    if constexpr (kOperation == kSigmoidOf) return precise_sigmoid(a);
    if constexpr (kOperation == kExp) return precise_exp(a);
    if constexpr (kOperation == kExpm1) return precise_expm1(a);
    if constexpr (kOperation == kExp2) return exp2(a);
    if constexpr (kOperation == kErrorFunction) return error_function(a);
}

// What is taken through doubles, and then to as many places as `For` has.
template <int32_t kOperation, class For>
NEUTONE_LIKE_INLINE Doubles transcendental(Doubles a, Doubles b) {
    if constexpr (kOperation == kPower) return power<For>(a, b);
    if constexpr (kOperation == kArctangent2) return arctangent2<For>(a, b);
    if constexpr (kOperation == kRemainder) return remainder_like_python(a, b);
    if constexpr (kOperation == kFmod) return remainder_like_c(a, b);
}

template <int32_t kOperation, class For>
NEUTONE_LIKE_INLINE Doubles transcendental(Doubles a) {
    if constexpr (kOperation == kLog) return log<For>(a);
    if constexpr (kOperation == kLog1p) return log1p<For>(a);
    if constexpr (kOperation == kLog2) return log2<For>(a);
    if constexpr (kOperation == kLog10) return log10<For>(a);
    if constexpr (kOperation == kSine) return sine<For>(a);
    if constexpr (kOperation == kCosine) return cosine<For>(a);
    if constexpr (kOperation == kTangent) return tangent<For>(a);
    if constexpr (kOperation == kArcsine) return arcsine<For>(a);
    if constexpr (kOperation == kArccosine) return arccosine<For>(a);
    if constexpr (kOperation == kArctangent) return arctangent<For>(a);
    if constexpr (kOperation == kSinh) return sinh(a);
    if constexpr (kOperation == kCosh) return cosh(a);
}

// One operation for a whole tile, which is a multiple of every vector. Results may lie where an operand is.
template <int32_t kOperation, class T>
static void unary(T* result, const T* a, int64_t count) {
    for (int64_t i = 0; i < count; i += VectorOf<T>::kCount) store(result + i, simple<kOperation>(load(a + i)));
}
template <int32_t kOperation, class T>
static void binary(T* result, const T* a, const T* b, int64_t count) {
    for (int64_t i = 0; i < count; i += VectorOf<T>::kCount)
        store(result + i, simple<kOperation>(load(a + i), load(b + i)));
}

NEUTONE_LIKE_INLINE Doubles load_doubles(const double* from) { return load(from); }
NEUTONE_LIKE_INLINE Doubles load_doubles(const float* from) { return load_as_doubles(from); }
NEUTONE_LIKE_INLINE void store_doubles(double* to, Doubles value) { store(to, value); }
NEUTONE_LIKE_INLINE void store_doubles(float* to, Doubles value) { store_as_floats(to, value); }

// Those that float32 takes through doubles too: rounded once, so right to the last place but for a few ties.
template <int32_t kOperation, class T>
static void unary_in_doubles(T* result, const T* a, int64_t count) {
    for (int64_t i = 0; i < count; i += kDoubleLanes)
        store_doubles(result + i, transcendental<kOperation, T>(load_doubles(a + i)));
}
template <int32_t kOperation, class T>
static void binary_in_doubles(T* result, const T* a, const T* b, int64_t count) {
    for (int64_t i = 0; i < count; i += kDoubleLanes)
        store_doubles(result + i, transcendental<kOperation, T>(load_doubles(a + i), load_doubles(b + i)));
}

template <class T>
static void choose(T* result, const T* a, const T* b, const T* c, int64_t count) {
    typedef typename VectorOf<T>::Vector V;
    for (int64_t i = 0; i < count; i += VectorOf<T>::kCount)
        store(result + i, load(a + i) != V{} ? load(b + i) : load(c + i));
}
template <class T>
static void multiply_add(T* result, const T* a, const T* b, const T* c, int64_t count) {
    for (int64_t i = 0; i < count; i += VectorOf<T>::kCount) store(result + i, load(a + i) * load(b + i) + load(c + i));
}

// Every instruction set has these as one instruction, to which the compiler turns the loop.
template <int32_t kOperation, class T>
static void rounded(T* result, const T* a, int64_t count) {
    NEUTONE_LIKE_INDEPENDENT for (int64_t i = 0; i < count; ++i) {
        if constexpr (kOperation == kSquareRoot)
            result[i] = sizeof(T) == 4 ? static_cast<T>(__builtin_sqrtf(static_cast<float>(a[i])))
                                       : static_cast<T>(__builtin_sqrt(a[i]));
        if constexpr (kOperation == kFloor)
            result[i] = sizeof(T) == 4 ? static_cast<T>(__builtin_floorf(static_cast<float>(a[i])))
                                       : static_cast<T>(__builtin_floor(a[i]));
        if constexpr (kOperation == kCeiling)
            result[i] = sizeof(T) == 4 ? static_cast<T>(__builtin_ceilf(static_cast<float>(a[i])))
                                       : static_cast<T>(__builtin_ceil(a[i]));
        if constexpr (kOperation == kRound)
            result[i] = sizeof(T) == 4 ? static_cast<T>(__builtin_rintf(static_cast<float>(a[i])))
                                       : static_cast<T>(__builtin_rint(a[i]));
        if constexpr (kOperation == kTruncate)
            result[i] = sizeof(T) == 4 ? static_cast<T>(__builtin_truncf(static_cast<float>(a[i])))
                                       : static_cast<T>(__builtin_trunc(a[i]));
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
