// Rows of time made of what lies in another order.
#pragma once

#include "kernels/isa/vector.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// to[row * to_stride + t] = from[row * row_stride + t * t_stride]
static void to_rows_of_time(float* to, ptrdiff_t to_stride, const float* from, ptrdiff_t row_stride, ptrdiff_t t_stride,
                            int32_t rows, int32_t samples) {
    int32_t row = 0;
#if defined(__x86_64__) || defined(_M_X64)
    for (; row_stride == 1 && row + 4 <= rows; row += 4) {
        int32_t t = 0;
        for (; t + 4 <= samples; t += 4) {
            const float* corner = from + row + t * t_stride;
            __m128 a = _mm_loadu_ps(corner), b = _mm_loadu_ps(corner + t_stride);
            __m128 c = _mm_loadu_ps(corner + 2 * t_stride), d = _mm_loadu_ps(corner + 3 * t_stride);
            _MM_TRANSPOSE4_PS(a, b, c, d);
            float* corner_to = to + row * to_stride + t;
            _mm_storeu_ps(corner_to, a);
            _mm_storeu_ps(corner_to + to_stride, b);
            _mm_storeu_ps(corner_to + 2 * to_stride, c);
            _mm_storeu_ps(corner_to + 3 * to_stride, d);
        }
        for (; t < samples; ++t) {
            for (int32_t i = row; i < row + 4; ++i) to[i * to_stride + t] = from[i + t * t_stride];
        }
    }
#endif
    for (; row < rows; ++row) {
        for (int32_t t = 0; t < samples; ++t) to[row * to_stride + t] = from[row * row_stride + t * t_stride];
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
