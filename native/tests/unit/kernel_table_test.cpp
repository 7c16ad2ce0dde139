// Which kernels there are, and which of them this processor gets.
#include <doctest/doctest.h>

#include <string>

#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"

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
        CHECK(std::string(table->kernels[kCopy].name) == "copy");
        CHECK(std::string(table->kernels[kLstm].name) == "lstm");
        CHECK(std::string(table->kernels[kArgument].name) == "argument");
        for (uint32_t id = 0; id < kKernelCount; ++id) {
            CHECK(static_cast<bool>(table->kernels[id].check));
            CHECK(static_cast<bool>(table->kernels[id].run));
        }
    }
}
