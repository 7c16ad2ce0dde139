// One step of a compiled model by itself: operands of random layout with guards around every element, for each instruction
// set that this machine has.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"

namespace kernel_step_test {

using namespace neutone_like::compiled;
using Dims = std::vector<int>;

inline std::vector<const KernelTable*> tables() {
    std::vector<const KernelTable*> found;
    for (const char* name :
         {"x86-64-v2", "x86-64-v3", "x86-64-v4", "x86-64-v4-vnni", "x86-64-v4-halves", "neon", "plain"})
        if (const KernelTable* table = kernels_named(name)) found.push_back(table);
    REQUIRE(!found.empty());
    return found;
}

// Calls `visit` with every index of `dims`, the last dimension fastest.
inline void each_index(const Dims& dims, const std::function<void(const Dims&)>& visit) {
    for (int d : dims)
        if (d == 0) return;
    Dims index(dims.size(), 0);
    while (true) {
        visit(index);
        int d = static_cast<int>(dims.size()) - 1;
        while (d >= 0 && ++index[d] == dims[d]) index[d--] = 0;
        if (d < 0) return;
    }
}

// A strided tensor in memory of its own: what lies between its elements must stay as it is.
class Tensor {
public:
    // Strides are random with gaps; `contiguous`: the last dimension fastest and no gaps.
    Tensor(Dims dims, uint32_t type, std::mt19937& random, bool contiguous = false) : dims_(std::move(dims)) {
        view_.type = type;
        view_.rank = static_cast<uint32_t>(dims_.size());
        view_.flags = 0;
        view_.writable = true;
        for (size_t d = 0; d < dims_.size(); ++d) view_.dims[d] = dims_[d];
        choose_strides(random, contiguous);
        memory_.resize(elements_ * size(), std::byte{0xCD});
        was_ = memory_;
    }

    // A dimension of which every index is the same element.
    Tensor& repeat(int dimension) {
        view_.strides[dimension] = 0;
        return *this;
    }
    Tensor& read_only() {
        view_.writable = false;
        return *this;
    }

    double operator()(const Dims& index) const {
        if (view_.type == kFloat64) return at<double>(index);
        return static_cast<double>(at<float>(index));
    }
    void set(const Dims& index, double value) {
        if (view_.type == kFloat64)
            put(index, value);
        else
            put(index, static_cast<float>(value));
    }
    Tensor& fill(const std::function<double(const Dims&)>& value) {
        each_index(dims_, [&](const Dims& index) { set(index, value(index)); });
        was_ = memory_;
        return *this;
    }
    Tensor& fill_random(std::mt19937& random, double low = -1.0, double high = 1.0) {
        std::uniform_real_distribution<double> values(low, high);
        return fill([&](const Dims&) { return values(random); });
    }

    void restore() { memory_ = was_; }
    // Whether everything but the tensor's own elements is what it was.
    bool is_untouched_outside() const {
        std::vector<std::byte> expected = was_;
        each_index(dims_, [&](const Dims& index) {
            const size_t at = place(index);
            std::copy_n(memory_.begin() + static_cast<long>(at), size(), expected.begin() + static_cast<long>(at));
        });
        return expected == memory_;
    }

    Operand operand(bool with_data) {
        Operand result = view_;
        result.data = with_data ? memory_.data() + start_ * size() : nullptr;
        return result;
    }
    const Dims& dims() const { return dims_; }
    Operand& view() { return view_; }

private:
    size_t size() const { return view_.type == kFloat64 ? 8 : 4; }
    size_t place(const Dims& index) const {
        int64_t at = start_;
        for (size_t d = 0; d < dims_.size(); ++d) at += int64_t{view_.strides[d]} * index[d];
        return static_cast<size_t>(at) * size();
    }
    template <class T>
    T at(const Dims& index) const {
        T value;
        std::memcpy(&value, memory_.data() + place(index), sizeof value);
        return value;
    }
    template <class T>
    void put(const Dims& index, T value) {
        std::memcpy(memory_.data() + place(index), &value, sizeof value);
    }

    void choose_strides(std::mt19937& random, bool contiguous) {
        std::vector<int> order(dims_.size());
        for (size_t d = 0; d < order.size(); ++d) order[d] = static_cast<int>(order.size() - 1 - d);
        const bool plain = contiguous || random() % 2 == 0;
        if (!plain) std::shuffle(order.begin(), order.end(), random);
        int stride = !plain && random() % 4 == 0 ? 2 : 1, low = 0, high = 0;
        for (int d : order) {
            const bool back = !plain && random() % 8 == 0;
            view_.strides[d] = back ? -stride : stride;
            (back ? low : high) += stride * std::max(0, dims_[d] - 1);
            stride = stride * std::max(1, dims_[d]) + (contiguous ? 0 : static_cast<int>(random() % 3));
        }
        const int before = 16, beyond = 16;  // what reads and padded writes may reach is within this
        start_ = before + low;
        elements_ = static_cast<size_t>(start_ + high + 1 + beyond);
    }

    Dims dims_;
    Operand view_{};
    int64_t start_ = 0;
    size_t elements_ = 0;
    std::vector<std::byte> memory_, was_;
};

class KernelStep {
public:
    explicit KernelStep(uint32_t kernel) : kernel_(kernel) {}

    Tensor& add(Dims dims, uint32_t type, std::mt19937& random, bool contiguous = false) {
        return tensors_.emplace_back(std::move(dims), type, random, contiguous);
    }
    Tensor& operator[](size_t index) { return tensors_[index]; }
    size_t size() const { return tensors_.size(); }
    std::vector<int32_t>& integers() { return integers_; }

    // What the step's check says; empty when it may run.
    std::string refused(const KernelTable& table) {
        const Need need = kernel_of(table, kernel_).check(call(false));
        return need.error == nullptr ? "" : need.error;
    }

    // Runs it from the same values as ever, and holds it to its own elements and its scratch memory.
    void run(const KernelTable& table) {
        for (Tensor& tensor : tensors_) tensor.restore();
        const Need need = kernel_of(table, kernel_).check(call(false));
        REQUIRE_MESSAGE(need.error == nullptr, std::string(need.error == nullptr ? "" : need.error));
        const size_t bytes = need.scratch_bytes, guard = 64;
        std::vector<std::byte> memory(bytes + 3 * guard, std::byte{0xCD});
        const size_t address = reinterpret_cast<size_t>(memory.data());
        std::byte* aligned = memory.data() + ((address + 2 * guard - 1) / guard * guard - address);
        scratch_ = aligned;
        kernel_of(table, kernel_).run(call(true));
        scratch_ = nullptr;
        const auto is_guard = [](std::byte value) { return value == std::byte{0xCD}; };
        CHECK(std::all_of(memory.data(), aligned, is_guard));
        CHECK(std::all_of(aligned + bytes, memory.data() + memory.size(), is_guard));
        for (Tensor& tensor : tensors_) CHECK(tensor.is_untouched_outside());
    }

private:
    Call call(bool with_data) {
        views_.clear();
        for (Tensor& tensor : tensors_) views_.push_back(tensor.operand(with_data));
        return {views_.data(), integers_.data(), static_cast<uint32_t>(views_.size()),
                static_cast<uint32_t>(integers_.size()), scratch_};
    }

    uint32_t kernel_;
    std::deque<Tensor> tensors_;
    std::vector<int32_t> integers_;
    std::vector<Operand> views_;
    void* scratch_ = nullptr;
};

inline int between(std::mt19937& random, int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
}
inline uint32_t any_type(std::mt19937& random) { return random() % 2 == 0 ? kFloat32 : kFloat64; }

}  // namespace kernel_step_test
