// Steps: what they name is there, and their kernels can compute it for every block that the plan takes.
#include "kernels/kernel_ids.hpp"
#include "kernels/operands.hpp"
#include "kernels/proof.hpp"

namespace neutone_like::compiled {

namespace {

constexpr uint64_t kMostOperandsOfAll = 1 << 20;
constexpr uint64_t kMostScratch = uint64_t{1} << 30;
constexpr uint32_t kRemembered = 32;

// One step's operands at one length after another.
struct Operands {
    Operand operands[kMostOperands];
    struct Grown {
        int32_t* dimension;
        int32_t step;
    } grown[kMostOperands * kMaximumRank];
    uint32_t grown_count = 0;

    void begin(const Image& image, const Step& step) noexcept {
        grown_count = 0;
        for (uint32_t index = 0; index < step.views; ++index) {
            make_operand(image, image.views[step.first_view + index], operands[index], [&](int32_t& dim, Line line) {
                grown[grown_count++] = {&dim, static_cast<int32_t>(line.step)};
            });
        }
    }

    void grow() noexcept {
        for (uint32_t index = 0; index < grown_count; ++index) *grown[index].dimension += grown[index].step;
    }
};

bool refuse(const Image& image, uint32_t index, const char* what, Verdict& verdict) noexcept {
    const uint32_t kernel = image.steps[index].kernel;
    verdict.refuse(Fault::bad_plan) << "step " << index << " ("
                                    << (kernel < kKernelCount ? kernel_of(*image.kernels, kernel).name : "?")
                                    << "): " << what;
    return false;
}

bool prove_names(const Image& image, uint32_t index, Verdict& verdict) noexcept {
    const Step& step = image.steps[index];
    if (step.kernel >= kKernelCount) {
        verdict.refuse(Fault::too_new) << "step " << index << " needs kernel " << step.kernel
                                       << ", and this library has 0 to " << kKernelCount - 1;
        return false;
    }
    if (step.views > kMostOperands) return refuse(image, index, "it has more than 128 views", verdict);
    if (step.first_view > image.view_count || step.views > image.view_count - step.first_view) {
        return refuse(image, index, "it names views that are not there", verdict);
    }
    if (step.first_integer > image.integer_count || step.integers > image.integer_count - step.first_integer) {
        return refuse(image, index, "it names whole numbers that are not there", verdict);
    }
    return true;
}

bool same(const Extent& a, const Extent& b) noexcept {
    return a.base == b.base && a.numerator == b.numerator && a.denominator == b.denominator;
}

bool same_kind(const Image& image, const View& a, const View& b) noexcept {
    const Buffer& of_a = image.buffers[a.buffer];
    const Buffer& of_b = image.buffers[b.buffer];
    if (a.rank != b.rank || a.flags != b.flags || of_a.type != of_b.type) return false;
    if ((of_a.kind == kConstant) != (of_b.kind == kConstant)) return false;
    for (uint32_t dim = 0; dim < a.rank; ++dim) {
        if (!same(a.dims[dim], b.dims[dim]) || a.strides[dim] != b.strides[dim]) return false;
    }
    return true;
}

// Whether a kernel would be asked the same: it sees neither places nor numbers.
bool same_question(const Image& image, const Step& a, const Step& b) noexcept {
    if (a.kernel != b.kernel || a.views != b.views || a.integers != b.integers) return false;
    for (uint32_t index = 0; index < a.integers; ++index) {
        if (image.integers[a.first_integer + index] != image.integers[b.first_integer + index]) return false;
    }
    for (uint32_t index = 0; index < a.views; ++index) {
        if (!same_kind(image, image.views[a.first_view + index], image.views[b.first_view + index])) return false;
    }
    return true;
}

// Networks have few kinds of layers: what was answered lately is not asked again.
class Answered {
public:
    bool knows(const Image& image, const Step& step) const noexcept {
        const uint32_t count = next_ < kRemembered ? next_ : kRemembered;
        for (uint32_t index = 0; index < count; ++index) {
            if (same_question(image, *steps_[index], step)) return true;
        }
        return false;
    }
    void add(const Step& step) noexcept { steps_[next_++ % kRemembered] = &step; }

private:
    const Step* steps_[kRemembered];
    uint32_t next_ = 0;
};

bool ask(Image& image, uint32_t index, Operands& operands, Verdict& verdict) noexcept {
    const Step& step = image.steps[index];
    operands.begin(image, step);
    const Call call{operands.operands, image.integers + step.first_integer, step.views, step.integers, nullptr};
    for (int64_t at = 0; at < image.lengths.count; ++at) {
        if (at > 0) operands.grow();
        const Need need = kernel_of(*image.kernels, step.kernel, call).check(call);
        if (need.error != nullptr || need.scratch_bytes > kMostScratch) {
            refuse(image, index, need.error != nullptr ? need.error : "less memory of its own", verdict);
            verdict.message << " is needed, in a block of " << image.lengths.new_samples(at) << " samples";
            return false;
        }
        if (need.scratch_bytes > image.scratch_bytes) image.scratch_bytes = need.scratch_bytes;
    }
    return true;
}

}  // namespace

bool prove_steps(Image& image, Verdict& verdict) noexcept {
    Operands operands;
    Answered answered;
    uint64_t operands_of_all = 0;
    for (uint32_t index = 0; index < image.step_count; ++index) {
        if (!prove_names(image, index, verdict)) return false;
        const Step& step = image.steps[index];
        operands_of_all += step.views;
        if (operands_of_all > kMostOperandsOfAll) {
            verdict.refuse(Fault::too_large) << "its steps have more than 2^20 operands";
            return false;
        }
        if (answered.knows(image, step)) continue;
        if (!ask(image, index, operands, verdict)) return false;
        answered.add(step);
    }
    return true;
}

}  // namespace neutone_like::compiled
