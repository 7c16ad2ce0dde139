// A step of a plan built by hand: memory, operands, and what the kernel made of them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"

namespace kernel_test {

using namespace neutone_like::compiled;

constexpr float kUntouched = 12345.0f;
constexpr int kSlack = 2 * kVectorFloats;  // before and after what is used

struct Random {
    std::mt19937 generator;
    explicit Random(uint32_t seed) : generator(seed) {}

    int whole(int lowest, int highest) { return std::uniform_int_distribution<int>(lowest, highest)(generator); }
    float number(float most = 1.0f) { return std::uniform_real_distribution<float>(-most, most)(generator); }
    std::vector<float> numbers(size_t count, float most = 1.0f) {
        std::vector<float> all(count);
        for (float& one : all) one = number(most);
        return all;
    }
};

// A tensor with memory of its own, as large as its strides reach and a little more on both sides.
class Tensor {
public:
    Tensor(std::vector<int> dims, std::vector<int> strides) : dims_(std::move(dims)), strides_(std::move(strides)) {
        int64_t first = 0, last = 0;
        for (size_t i = 0; i < dims_.size(); ++i) {
            const int64_t reach = static_cast<int64_t>(dims_[i] - 1) * strides_[i];
            (reach < 0 ? first : last) += reach;
        }
        origin_ = kSlack - first;
        memory_.assign(static_cast<size_t>(last - first) + 1 + 2 * kSlack, kUntouched);
    }

    static Tensor array(const std::vector<float>& values) {
        Tensor tensor({static_cast<int>(values.size())}, {1});
        for (size_t i = 0; i < values.size(); ++i) tensor.at({static_cast<int>(i)}) = values[i];
        return tensor;
    }

    float& at(const std::vector<int>& index) {
        int64_t place = origin_;
        for (size_t i = 0; i < index.size(); ++i) place += static_cast<int64_t>(index[i]) * strides_[i];
        return memory_[static_cast<size_t>(place)];
    }

    void fill(Random& random, float most = 1.0f) {
        for (float& value : memory_) value = random.number(most);
    }

    Operand operand(uint32_t flags = 0, bool writable = true) {
        Operand result = {};
        result.data = memory_.data() + origin_;
        result.type = kFloat32;
        result.rank = static_cast<uint32_t>(dims_.size());
        result.flags = flags;
        result.writable = writable;
        for (size_t i = 0; i < dims_.size(); ++i) {
            result.dims[i] = dims_[i];
            result.strides[i] = strides_[i];
        }
        return result;
    }

    const std::vector<int>& dims() const { return dims_; }
    std::vector<float>& memory() { return memory_; }

private:
    std::vector<int> dims_, strides_;
    int64_t origin_ = 0;
    std::vector<float> memory_;
};

struct HandStep {
    std::vector<Operand> views;
    std::vector<int32_t> integers;

    Call call() const {
        return {views.data(), integers.data(), static_cast<uint32_t>(views.size()),
                static_cast<uint32_t>(integers.size()), nullptr};
    }
};

inline std::string refusal(const KernelTable& table, KernelId id, const HandStep& step) {
    const char* error = kernel_of(table, id, step.call()).check(step.call()).error;
    return error == nullptr ? "" : error;
}

// Checks, gives the scratch that was asked for, and runs. What lies around the scratch must stay as it is.
inline void play(const KernelTable& table, KernelId id, const HandStep& step) {
    Call call = step.call();
    const Need need = kernel_of(table, id, call).check(call);
    REQUIRE(std::string(need.error == nullptr ? "" : need.error) == "");
    std::vector<unsigned char> scratch(need.scratch_bytes + 192, 0xa5);
    void* begin = scratch.data();
    size_t room = scratch.size();
    call.scratch = std::align(64, need.scratch_bytes + 64, begin, room);
    kernel_of(table, id, call).run(call);
    const unsigned char* end = static_cast<unsigned char*>(call.scratch) + need.scratch_bytes;
    for (int i = 0; i < 64; ++i) REQUIRE(end[i] == 0xa5);
}

inline std::vector<const KernelTable*> tables() {
    std::vector<const KernelTable*> all = {&baseline_kernels()};
    for (const char* name : {"x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "x86-64-v4-halves"})
        if (const KernelTable* table = kernels_named(name)) all.push_back(table);
    return all;
}

inline double activated(int32_t activation, double value) {
    if (activation == kTanh) return std::tanh(value);
    if (activation == kSigmoid) return 1.0 / (1.0 + std::exp(-value));
    if (activation == kRelu) return value < 0.0 ? 0.0 : value;
    return value;
}

}  // namespace kernel_test
