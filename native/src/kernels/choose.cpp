// Picks the kernels that this processor runs.
#include "kernels/kernel.hpp"
#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"

#if NEUTONE_LIKE_CHOOSES_KERNELS
#include <cpuid.h>
#endif

namespace neutone_like::compiled {

#if NEUTONE_LIKE_CHOOSES_KERNELS
inline namespace v3 {
extern const Kernel kKernels[kKernelCount];
}
inline namespace v4 {
extern const Kernel kKernels[kKernelCount];
extern const Kernel kDotKernels[kRecurrentKernels];
}  // namespace v4
#endif

namespace {

bool same(const char* a, const char* b) noexcept {
    while (*a != '\0' && *a == *b) ++a, ++b;
    return *a == *b;
}

#if NEUTONE_LIKE_CHOOSES_KERNELS
// What the processor says of itself, asked without a compiler's library, which not every compiler has.
struct Registers {
    unsigned a, b, c, d;

    explicit Registers(unsigned leaf) noexcept : a(0), b(0), c(0), d(0) { __get_cpuid_count(leaf, 0, &a, &b, &c, &d); }
};

bool has(unsigned word, unsigned bits) noexcept { return (word & bits) == bits; }

// Which registers the operating system keeps for a program: they are of no use otherwise.
unsigned kept_registers() noexcept {
    constexpr unsigned kOsxsave = 1u << 27;
    if (!has(Registers(1).c, kOsxsave)) return 0;
    unsigned low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

bool has_v3() noexcept {
    constexpr unsigned kFma = 1u << 12, kAvx = 1u << 28, kF16c = 1u << 29, kMovbe = 1u << 22;
    constexpr unsigned kBmi = 1u << 3, kAvx2 = 1u << 5, kBmi2 = 1u << 8, kLzcnt = 1u << 5;
    constexpr unsigned kYmm = 0x6;
    return has(kept_registers(), kYmm) && has(Registers(1).c, kFma | kAvx | kF16c | kMovbe) &&
           has(Registers(7).b, kBmi | kAvx2 | kBmi2) && has(Registers(0x80000001).c, kLzcnt);
}

bool has_v4() noexcept {
    constexpr unsigned kF = 1u << 16, kDq = 1u << 17, kCd = 1u << 28, kBw = 1u << 30, kVl = 1u << 31;
    constexpr unsigned kZmm = 0xE6;
    return has_v3() && has(kept_registers(), kZmm) && has(Registers(7).b, kF | kDq | kCd | kBw | kVl);
}

// Whether it multiplies four pairs of bytes and adds them in one instruction (VNNI).
bool has_dots() noexcept {
    constexpr unsigned kVnni = 1u << 11;
    return has_v4() && has(Registers(7).c, kVnni);
}

// Whether it computes 512 bits in two halves, as AMD's Zen 4 does: products gain by fewer instructions, but recurrent layers,
// which wait for one result after the other, are quicker in vectors of 256; not so those whose weights are bytes. AMD's
// processors say how wide they are (CPUID 8000001A, AMD's manual volume 3, appendix E); others leave the word at 0.
bool has_v4_in_halves() noexcept {
    constexpr unsigned kFp256 = 1u << 2, kFp512 = 1u << 3;
    const unsigned width = Registers(0x8000001A).a;
    return has_dots() && has(width, kFp256) && !has(width, kFp512);
}

constexpr KernelTable kDots = {"x86-64-v4-vnni", v4::kKernels, nullptr, v4::kDotKernels};
constexpr KernelTable kHalves = {"x86-64-v4-halves", v4::kKernels, v3::kKernels, v4::kDotKernels};
#endif

}  // namespace

const Kernel& kernel_of(const KernelTable& table, uint32_t id) noexcept {
    return (id >= kLstm && id <= kRnn && table.recurrent != nullptr ? table.recurrent : table.kernels)[id];
}

const Kernel& kernel_of(const KernelTable& table, uint32_t id, const Call& call) noexcept {
    const uint32_t form = id == kRnn ? 1 : 0;
    const bool of_bytes = form < call.integer_count && call.integers[form] == kByteWeights;
    if (!of_bytes || id < kLstm || id > kRnn) return kernel_of(table, id);
    return table.of_bytes != nullptr ? table.of_bytes[id - kLstm] : table.kernels[id];
}

const KernelTable& best_kernels() noexcept {
#if NEUTONE_LIKE_CHOOSES_KERNELS
    if (has_v4_in_halves()) return kHalves;
    if (has_dots()) return kDots;
    if (has_v4()) return v4_kernels();
    if (has_v3()) return v3_kernels();
#endif
    return baseline_kernels();
}

const KernelTable* kernels_named(const char* name) noexcept {
    if (same(name, baseline_kernels().name)) return &baseline_kernels();
#if NEUTONE_LIKE_CHOOSES_KERNELS
    if (has_v3() && same(name, v3_kernels().name)) return &v3_kernels();
    if (has_v4() && same(name, v4_kernels().name)) return &v4_kernels();
    if (has_dots() && same(name, kDots.name)) return &kDots;
    if (has_v4_in_halves() && same(name, kHalves.name)) return &kHalves;
#endif
    return nullptr;
}

}  // namespace neutone_like::compiled
