// Writing less than a whole vector, for what must not be written beyond its end.
#pragma once

#include "kernels/isa/vector.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

// The first `lanes` of a vector, 1 to kLanes.
NEUTONE_LIKE_INLINE void store_first(float* to, Floats value, int32_t lanes) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(0xffffu >> (kLanes - lanes)), (__m512)value);
#elif defined(__AVX2__)
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    _mm256_maskstore_ps(to, _mm256_cmpgt_epi32(_mm256_set1_epi32(lanes), lane), (__m256)value);
#else
    to[0] = value[0];
    if (lanes > 1) to[1] = value[1];
    if (lanes > 2) to[2] = value[2];
    if (lanes > 3) to[3] = value[3];
#endif
}

NEUTONE_LIKE_INLINE void store_up_to(float* to, Floats value, int32_t lanes) {
    if (lanes == kLanes) {
        store(to, value);
    } else {
        store_first(to, value, lanes);
    }
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
