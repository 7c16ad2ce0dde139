// Moving memory without a C library.
#pragma once

#include <cstdint>

namespace neutone_like::compiled {

typedef unsigned char Sixteen __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint32_t Four __attribute__((aligned(1), may_alias));

// `count` is a multiple of 4. `to` may lie within `from`, before it.
inline void copy_bytes(unsigned char* to, const unsigned char* from, uint64_t count) noexcept {
    for (; count >= 64; count -= 64, to += 64, from += 64) {
        Sixteen* const target = reinterpret_cast<Sixteen*>(to);  // not auto, which forgets the alignment
        const Sixteen* const source = reinterpret_cast<const Sixteen*>(from);
        const Sixteen a = source[0], b = source[1], c = source[2], d = source[3];
        target[0] = a, target[1] = b, target[2] = c, target[3] = d;
    }
    for (; count >= 16; count -= 16, to += 16, from += 16) {
        *reinterpret_cast<Sixteen*>(to) = *reinterpret_cast<const Sixteen*>(from);
    }
    for (; count >= 4; count -= 4, to += 4, from += 4) {
        *reinterpret_cast<Four*>(to) = *reinterpret_cast<const Four*>(from);
    }
}

inline void clear_bytes(unsigned char* to, uint64_t count) noexcept {
    for (; count >= 16; count -= 16, to += 16) *reinterpret_cast<Sixteen*>(to) = Sixteen{};
    for (; count >= 4; count -= 4, to += 4) *reinterpret_cast<Four*>(to) = 0;
}

// `count` floats, each `stride` elements after the one before it.
inline void copy_floats(float* to, int64_t to_stride, const float* from, int64_t from_stride, int64_t count) noexcept {
    if (to_stride == 1 && from_stride == 1) {
        copy_bytes(reinterpret_cast<unsigned char*>(to), reinterpret_cast<const unsigned char*>(from),
                   static_cast<uint64_t>(count) * sizeof(float));
        return;
    }
    for (int64_t i = 0; i < count; ++i) to[i * to_stride] = from[i * from_stride];
}

}  // namespace neutone_like::compiled
