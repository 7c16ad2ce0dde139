// Views: whole, and within their buffers for every block that the plan takes.
#include "kernels/proof.hpp"

namespace neutone_like::compiled {

namespace {

constexpr int64_t kMostDimension = 0x7FFFFFFF;
constexpr int64_t kMostReach = int64_t{1} << 40;     // of one dimension, in elements: far beyond any buffer
constexpr int64_t kMostElements = int64_t{1} << 28;  // of a view, repeated ones counted as often as they are read

struct Lines {
    Line offset;
    Line dims[kMaximumRank];
};

bool refuse(uint32_t index, const char* what, Verdict& verdict) noexcept {
    verdict.refuse(Fault::bad_plan) << "view " << index << ": " << what;
    return false;
}

bool refuse_at(uint32_t index, int64_t samples, const char* what, Verdict& verdict) noexcept {
    verdict.refuse(Fault::bad_plan) << "view " << index << " " << what << " in a block of " << samples << " samples";
    return false;
}

bool find_lines(const View& view, uint32_t index, const Lengths& lengths, Lines& lines, Verdict& verdict) noexcept {
    for (uint32_t dim = 0; dim <= view.rank; ++dim) {
        const Extent& extent = dim < view.rank ? view.dims[dim] : view.offset;
        Line& line = dim < view.rank ? lines.dims[dim] : lines.offset;
        if (extent.denominator < 1 || !line_of(extent, lengths, line)) {
            return refuse(index, "a dimension or its offset is no whole number for every block", verdict);
        }
        const int64_t last = line.last(lengths);
        const bool fits = line.first >= 0 && last >= 0 && line.first <= kMostDimension && last <= kMostDimension;
        if (dim < view.rank && !fits) return refuse(index, "a dimension is negative or too large", verdict);
    }
    return true;
}

// The lowest and the highest element that is touched at one length; only `offset` where there is none.
struct Reach {
    int64_t lowest;
    int64_t highest;
    bool is_empty;
};

bool find_reach(const View& view, const Lines& lines, int64_t at, Reach& reach) noexcept {
    const int64_t offset = lines.offset.at(at);
    reach = {offset, offset, false};
    int64_t elements = 1;
    for (uint32_t dim = 0; dim < view.rank; ++dim) {
        const int64_t size = lines.dims[dim].at(at);
        if (size == 0) {
            reach = {offset, offset, true};
            return true;
        }
        const int64_t way = int64_t{view.strides[dim]} * (size - 1);
        elements *= size;
        if (way > kMostReach || way < -kMostReach || elements > kMostElements) return false;
        (way < 0 ? reach.lowest : reach.highest) += way;
    }
    if ((view.flags & kPadded) != 0 && view.rank > 0) {
        const int64_t last = lines.dims[view.rank - 1].at(at);
        reach.highest += (kVectorFloats - last % kVectorFloats) % kVectorFloats;
    }
    return true;
}

bool prove_at(const View& view, const Buffer& buffer, const Lines& lines, int64_t at, const char*& what) noexcept {
    Reach reach{};
    if (!find_reach(view, lines, at, reach)) {
        what = "is too large";
        return false;
    }
    const bool walks = buffer.kind == kRing;
    const int64_t first_place = walks ? buffer.front : 0;
    const int64_t last_place = walks ? buffer.front + places_of(buffer) - 1 : 0;
    what = "reaches beyond its buffer";
    return reach.lowest + first_place >= 0 && reach.highest + last_place < buffer.elements + (reach.is_empty ? 1 : 0);
}

bool prove_view(const Image& image, uint32_t index, Verdict& verdict) noexcept {
    const View& view = image.views[index];
    if (view.buffer >= image.buffer_count || view.rank > kMaximumRank || view.flags > kPadded) {
        return refuse(index, "its buffer, rank or flags are unknown", verdict);
    }
    const bool is_padded = (view.flags & kPadded) != 0 && view.rank > 0;
    if (is_padded && view.strides[view.rank - 1] != 1) return refuse(index, "padded, but not contiguous", verdict);
    const Lengths& lengths = image.lengths;
    Lines lines;
    if (!find_lines(view, index, lengths, lines, verdict)) return false;
    // Where nothing is empty, how far it reaches is a line, whose ends are its extremes; only its own end may be empty.
    // Padding comes back after 16 lengths at the latest, each time with the same step: a line for each of 16.
    const int64_t ends = is_padded && lines.dims[view.rank - 1].step != 0 ? kVectorFloats + 1 : 2;
    for (int64_t at = 0; at < lengths.count; ++at) {
        if (at == ends && at < lengths.count - ends) at = lengths.count - ends;
        const char* what = nullptr;
        if (!prove_at(view, image.buffers[view.buffer], lines, at, what)) {
            return refuse_at(index, lengths.new_samples(at), what, verdict);
        }
    }
    return true;
}

bool has_dimension(const Image& image, const Extent& dimension, int64_t first, int64_t step) noexcept {
    Line line{};
    return line_of(dimension, image.lengths, line) && line.first == first &&
           (image.lengths.count == 1 || line.step == step);
}

bool is_float_matrix(const Image& image, const View& view, int64_t rows, int64_t samples) noexcept {
    return view.rank == 2 && image.buffers[view.buffer].type == kFloat32 &&
           has_dimension(image, view.dims[0], rows, 0) &&
           has_dimension(image, view.dims[1], samples, image.lengths.step);
}

bool is_parameter(const Image& image, const View& view) noexcept {
    return view.rank == 1 && image.buffers[view.buffer].type == kFloat32 &&
           (has_dimension(image, view.dims[0], 1, 0) ||
            has_dimension(image, view.dims[0], image.lengths.shortest, image.lengths.step));
}

}  // namespace

bool prove_views(const Image& image, Verdict& verdict) noexcept {
    for (uint32_t index = 0; index < image.view_count; ++index) {
        if (!prove_view(image, index, verdict)) return false;
    }
    return true;
}

bool prove_ends(const Image& image, Verdict& verdict) noexcept {
    const Facts& facts = *image.facts;
    const Lengths& lengths = image.lengths;
    for (int32_t input = 0; input < facts.inputs; ++input) {
        if (image.buffers[image.views[input].buffer].kind != kConstant) continue;
        return refuse(static_cast<uint32_t>(input), "an input can't be a constant", verdict);
    }
    if (!is_float_matrix(image, image.views[0], facts.in_channels, lengths.shortest + lengths.look_behind)) {
        return refuse(0, "audio goes into [in_channels, samples] of float32", verdict);
    }
    for (int32_t input = 1; input < facts.inputs; ++input) {
        if (is_parameter(image, image.views[input])) continue;
        return refuse(static_cast<uint32_t>(input), "a parameter goes into [1] or [new samples] of float32", verdict);
    }
    const auto output = static_cast<uint32_t>(facts.output);
    if (is_float_matrix(image, image.views[output], facts.out_channels, lengths.shortest)) return true;
    return refuse(output, "audio comes from [out_channels, new samples] of float32", verdict);
}

}  // namespace neutone_like::compiled
