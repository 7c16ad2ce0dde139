// Two simple kernels, so that what plays plans can be proved without those that compute fast.
#pragma once

#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"

namespace plan {

using namespace neutone_like::compiled;

constexpr uint32_t kAddition = kPointwise;  // out, a, b of the same dimensions, at most 2

inline double read(const Operand& operand, int64_t element) {
    return operand.type == kFloat64 ? operand.doubles()[element] : static_cast<double>(operand.floats()[element]);
}

inline void write(const Operand& operand, int64_t element, double value) {
    if (operand.type == kFloat64) operand.doubles()[element] = value;
    if (operand.type == kFloat32) operand.floats()[element] = static_cast<float>(value);
}

inline Need check_alike(const Call& call, uint32_t count) {
    if (call.view_count != count) return {"another number of views", 0};
    if (!call.views[0].writable) return {"an output that is no constant", 0};
    for (uint32_t index = 0; index < count; ++index) {
        if (call.views[index].rank != call.views[0].rank || call.views[0].rank > 2) return {"the same rank", 0};
        for (uint32_t dim = 0; dim < call.views[0].rank; ++dim) {
            if (call.views[index].dims[dim] != call.views[0].dims[dim]) return {"the same dimensions", 0};
        }
    }
    return {nullptr, 128 * sizeof(float)};
}

inline void run_sum(const Call& call) {
    const Operand& out = call.views[0];
    const int64_t rows = out.rank == 2 ? out.dims[0] : 1;
    const int64_t columns = out.rank == 0 ? 1 : out.dims[out.rank - 1];
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t column = 0; column < columns; ++column) {
            const auto element = [&](const Operand& of) {
                return (of.rank == 2 ? row * of.strides[0] : 0) + (of.rank > 0 ? column * of.strides[of.rank - 1] : 0);
            };
            double sum = 0.0;
            for (uint32_t view = 1; view < call.view_count; ++view) {
                sum += read(call.views[view], element(call.views[view]));
            }
            write(out, element(out), sum);
        }
    }
    static_cast<float*>(call.scratch)[127] = 1.0f;
}

inline const KernelTable& simple_kernels() {
    static const auto refuse = [](const Call&) { return Need{"another kernel", 0}; };
    static Kernel kernels[kKernelCount];
    for (Kernel& kernel : kernels) kernel = {"none", +refuse, [](const Call&) {}};
    kernels[kCopy] = {"copy", [](const Call& call) { return check_alike(call, 2); }, run_sum};
    kernels[kAddition] = {"addition", [](const Call& call) { return check_alike(call, 3); }, run_sum};
    static const KernelTable table{"simple", kernels};
    return table;
}

}  // namespace plan
