// What a product may be followed by without another step, and the operations of programs and reductions.
// neutone_like/compiler/kernels.py has the same numbers.
#pragma once

#include <cstdint>

namespace neutone_like::compiled {

enum Activation : int32_t { kNone = 0, kTanh = 1, kSigmoid = 2, kRelu = 3, kActivations = 4 };

enum Reduction : int32_t { kSum = 0, kMean = 1, kLargest = 2, kSmallest = 3, kProduct = 4, kReductions = 5 };

// How weights of recurrent layers are stored.
enum WeightForm : int32_t { kFloatWeights = 0, kHalfWeights = 1, kByteWeights = 2, kWeightForms = 3 };

enum Operation : int32_t {
    kLoad = 0,
    kStore = 1,
    kNumber = 2,
    // two operands
    kAdd = 3,
    kSubtract = 4,
    kMultiply = 5,
    kDivide = 6,
    kMinimum = 7,
    kMaximum = 8,  // NaN where either is
    kPower = 9,
    kArctangent2 = 10,
    kRemainder = 11,  // Python's and torch.remainder's: the sign of the divisor
    kFmod = 12,       // C's: the sign of the dividend
    kLess = 13,
    kLessEqual = 14,
    kEqual = 15,
    kNotEqual = 16,
    kGreater = 17,
    kGreaterEqual = 18,
    kAnd = 19,
    kOr = 20,
    // three
    kSelect = 21,
    kMultiplyAdd = 22,  // a * b + c
    // one
    kNegate = 23,
    kAbsolute = 24,
    kSquareRoot = 25,
    kReciprocal = 26,
    kExp = 27,
    kExpm1 = 28,
    kLog = 29,
    kLog1p = 30,
    kSine = 31,
    kCosine = 32,
    kTangent = 33,
    kHyperbolicTangent = 34,
    kSigmoidOf = 35,
    kErrorFunction = 36,
    kFloor = 37,
    kCeiling = 38,
    kRound = 39 /* halves to even */,
    kTruncate = 40,
    kSign = 41,
    kArctangent = 42,
    kNot = 43,
    kIsNan = 44,
    kLog2 = 45,
    kLog10 = 46,
    kExp2 = 47,
    kArcsine = 48,
    kArccosine = 49,
    kSinh = 50,
    kCosh = 51,
    kOperations = 52
};

}  // namespace neutone_like::compiled
