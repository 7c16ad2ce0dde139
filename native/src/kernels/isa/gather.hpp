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

struct GatherLayout {
    int64_t index_strides[3];
    int64_t rows;    // of the last dimension: with one number for all of it that is copied as one row
    int64_t length;  // of such a row
};
static GatherLayout gather_layout(const Operand& out, const Operand& index) {
    const bool is_vector = index.rank == 1;
    GatherLayout layout = {{is_vector ? 0 : index.strides[0], is_vector ? index.strides[0] : index.strides[1],
                            is_vector ? 0 : index.strides[2]},
                           out.dims[2],
                           1};
    if (layout.index_strides[2] != 0 || out.dims[2] == 0) return layout;
    layout.rows = 1;
    layout.length = out.dims[2];
    return layout;
}

template <class Out, class In>
static void gather_elements(const Call& call, Out* to, const In* from) {
    const Operand &out = call.views[0], &in = call.views[1], &index = call.views[2];
    const GatherLayout layout = gather_layout(out, index);
    const int64_t* steps = layout.index_strides;
    for (int64_t a = 0; a < out.dims[0]; ++a)
        for (int64_t i = 0; i < out.dims[1]; ++i)
            for (int64_t b = 0; b < layout.rows; ++b) {
                const double number = read_element(index, a * steps[0] + i * steps[1] + b * steps[2]);
                Out* const place = to + a * out.strides[0] + i * out.strides[1] + b * out.strides[2];
                const In* const source =
                    from + a * in.strides[0] + place_of(number, in.dims[1]) * in.strides[1] + b * in.strides[2];
                if (layout.length == 1)
                    *place = static_cast<Out>(*source);
                else
                    convert_row(place, out.strides[2], source, in.strides[2], layout.length);
            }
}

static void gather_run(const Call& call) {
    const Operand &out = call.views[0], &in = call.views[1];
    if (out.type == kFloat32 && in.type == kFloat32)
        gather_elements(call, out.floats(), in.floats());
    else if (out.type == kFloat32)
        gather_elements(call, out.floats(), in.doubles());
    else if (in.type == kFloat32)
        gather_elements(call, out.doubles(), in.floats());
    else
        gather_elements(call, out.doubles(), in.doubles());
}

constexpr Kernel gather_kernel = {"gather", gather_check, gather_run};

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
