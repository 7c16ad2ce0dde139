// Elements by whole numbers that are only known when the sound is.
#pragma once

#include "kernels/isa/doubles.hpp"
#include "kernels/isa/rows.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

static Need gather_check(const Call& call) {
    if (call.view_count != 3) return refuse("three views: out, in and index");
    if (call.integer_count != 0) return refuse("no whole numbers");
    if (const char* wrong = wrong_views(call)) return refuse(wrong);
    const Operand &out = call.views[0], &in = call.views[1], &index = call.views[2];
    if (out.rank != 3 || in.rank != 3) return refuse("out and in of rank 3");
    if (in.dims[0] != out.dims[0] || in.dims[2] != out.dims[2]) return refuse("in of out's first and last dimension");
    if (in.dims[1] < 1) return refuse("something to gather from");
    if (index.rank == 1 && index.dims[0] == out.dims[1]) return scratch(0);
    if (index.rank != 3 || !same_dims(index, out)) return refuse("an index for each place, or for each element");
    return scratch(0);
}

// Within 0..count - 1 whatever the number is: NaN is 0.
NEUTONE_LIKE_INLINE int64_t place_of(double index, int64_t count) {
    if (index < 0.0) index += static_cast<double>(count);
    if (!(index > 0.0)) return 0;
    return index < static_cast<double>(count) ? static_cast<int64_t>(index) : count - 1;
}

static void gather_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1], &index = call.views[2];
    const int64_t index_strides[3] = {index.rank == 1 ? 0 : index.strides[0],
                                      index.rank == 1 ? index.strides[0] : index.strides[1],
                                      index.rank == 1 ? 0 : index.strides[2]};
    // With one number for all of the last dimension that is copied as a row.
    const bool is_row = index_strides[2] == 0;
    const int64_t rows = out.dims[2] == 0 ? 0 : (is_row ? 1 : out.dims[2]), length = is_row ? out.dims[2] : 1;
    for (int64_t a = 0; a < out.dims[0]; ++a)
        for (int64_t i = 0; i < out.dims[1]; ++i)
            for (int64_t b = 0; b < rows; ++b) {
                const double number =
                    read_element(index, a * index_strides[0] + i * index_strides[1] + b * index_strides[2]);
                const int64_t from =
                    a * in.strides[0] + place_of(number, in.dims[1]) * in.strides[1] + b * in.strides[2];
                const int64_t to = a * out.strides[0] + i * out.strides[1] + b * out.strides[2];
                if (out.type == kFloat32)
                    read_strided(out.floats() + to, out.strides[2], in, from, in.strides[2], length);
                else
                    read_strided(out.doubles() + to, out.strides[2], in, from, in.strides[2], length);
            }
}

constexpr Kernel gather_kernel = {"gather", gather_check, gather_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
