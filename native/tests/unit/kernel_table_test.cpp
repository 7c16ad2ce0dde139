// Which kernels there are, and which of them this processor gets.
#include <doctest/doctest.h>

#include <string>

#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"

using namespace neutone_like::compiled;

TEST_CASE("the best kernels and the plainest are found by their names") {
    for (const KernelTable* table : {&best_kernels(), &baseline_kernels()}) {
        CAPTURE(table->name);
        CHECK(kernels_named(table->name) == table);
    }
    CHECK(kernels_named("x86-64-v9") == nullptr);
    CHECK(kernels_named("") == nullptr);
}

TEST_CASE("every table has every kernel, in the order of their numbers") {
    for (const KernelTable* table : {&best_kernels(), &baseline_kernels()}) {
        CHECK(std::string(kernel_of(*table, kCopy).name) == "copy");
        CHECK(std::string(kernel_of(*table, kLstm).name) == "lstm");
        CHECK(std::string(kernel_of(*table, kArgument).name) == "argument");
        for (uint32_t id = 0; id < kKernelCount; ++id) {
            CHECK(static_cast<bool>(kernel_of(*table, id).check));
            CHECK(static_cast<bool>(kernel_of(*table, id).run));
        }
    }
}

TEST_CASE("a mixed table takes its recurrent kernels from another one, and nothing else") {
    const KernelTable &first = baseline_kernels(), &second = best_kernels();
    const KernelTable mixed = {"mixed", first.kernels, second.kernels};
    const KernelTable of_bytes = {"of bytes", first.kernels, nullptr, second.kernels + kLstm};
    for (uint32_t id = 0; id < kKernelCount; ++id) {
        CAPTURE(id);
        const bool is_recurrent = id == kLstm || id == kGru || id == kRnn;
        const Kernel& own = first.kernels[id];
        CHECK(&kernel_of(mixed, id) == &(is_recurrent ? second : first).kernels[id]);
        const int32_t form = id == kRnn ? 1 : 0;
        for (const int32_t weights : {kFloatWeights, kHalfWeights, kByteWeights}) {
            const int32_t integers[] = {form == 1 ? 0 : weights, form == 1 ? weights : 0};
            const Kernel& found = kernel_of(mixed, id, {nullptr, integers, 0, 2, nullptr});
            CHECK(&found == (weights == kByteWeights ? &own : &kernel_of(mixed, id)));
            const bool of_second = is_recurrent && weights == kByteWeights;
            CHECK(&kernel_of(of_bytes, id, {nullptr, integers, 0, 2, nullptr}) ==
                  (of_second ? second.kernels + id : &own));
        }
        CHECK(&kernel_of(mixed, id, {}) == &kernel_of(mixed, id));
    }
}
