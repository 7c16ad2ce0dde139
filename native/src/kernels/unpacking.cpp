// Constants that were packed become what kernels read. See Packing in format.hpp.
#include "kernels/bytes.hpp"
#include "kernels/reader.hpp"
#include "kernels/sections.hpp"

namespace neutone_like::compiled {

namespace {

constexpr uint64_t kMostNumbers = kMostMemory / sizeof(float);
constexpr uint64_t kBehind = kVectorFloats * sizeof(double);  // what is read may be read in whole vectors

bool is_integer(const Packing& packing) noexcept { return packing.as == kInt8 || packing.as == kInt4; }

uint64_t scales_of(const Packing& packing) noexcept {
    if (!is_integer(packing)) return 0;
    return uint64_t{packing.outer} * ((uint64_t{packing.rows} + packing.group - 1) / packing.group) * packing.lanes;
}

uint64_t stored_bytes(const Packing& packing, uint64_t numbers) noexcept {
    switch (packing.as) {
        case kWhole: return 4 * numbers;
        case kHalf: return 2 * numbers;
        case kInt8: return numbers;
        default: return (numbers + 1) / 2;
    }
}

// At most kMostNumbers, so that nothing that is calculated with them is too large for its type.
bool count_numbers(const Packing& packing, uint64_t& numbers) noexcept {
    const uint64_t row = uint64_t{packing.rows} * packing.lanes;
    if (row > kMostNumbers || (row > 0 && packing.outer > kMostNumbers / row)) return false;
    numbers = row * packing.outer;
    return true;
}

bool prove_packing(const Packing& packing, uint64_t packed, uint64_t& end, const char*& fault) noexcept {
    uint64_t numbers = 0;
    fault = "its kind is unknown";
    if (packing.as > kInt4) return false;
    fault = "it has no rows that share a scale, or too many numbers";
    if (is_integer(packing) != (packing.group > 0) || !count_numbers(packing, numbers) || numbers == 0) return false;
    fault = "its factors are not as many as divide its lanes";
    if (packing.factors > 0 && (packing.factors > packing.lanes || packing.lanes % packing.factors != 0)) return false;
    fault = "it is not within what is packed";
    const uint64_t stored = packing.factors * sizeof(double) + scales_of(packing) * 2 + stored_bytes(packing, numbers);
    if (packing.source % 8 != 0 || packing.source > packed || stored > packed - packing.source) return false;
    fault = "it does not lie within 1024 MiB";
    if (packing.destination % 4 != 0 || packing.destination > kMostMemory) return false;
    if (packing.outer > 1 && packing.outer_step > kMostNumbers / (packing.outer - 1)) return false;
    const uint64_t last = (packing.outer - 1) * (packing.outer > 1 ? packing.outer_step : 0);
    end = packing.destination + 4 * (last + uint64_t{packing.rows} * packing.lanes);
    return end <= kMostMemory;
}

float from_half(uint16_t half) noexcept {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 31u;
    const uint32_t fraction = half & 1023u;
    if (exponent == 0) {  // a multiple of 2^-24, exactly
        const float small = static_cast<float>(fraction) * 5.9604644775390625e-8f;
        return sign != 0 ? -small : small;
    }
    const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
    return __builtin_bit_cast(float, sign | (wide << 23) | (fraction << 13));
}

class Numbers {
public:
    Numbers(const Packing& packing, const unsigned char* packed) noexcept
        : packing_(packing),
          factors_(reinterpret_cast<const double*>(packed + packing.source)),
          scales_(reinterpret_cast<const uint16_t*>(factors_ + packing.factors)),
          numbers_(reinterpret_cast<const unsigned char*>(scales_ + scales_of(packing))) {}

    float at(uint64_t outer, uint64_t row, uint64_t lane) const noexcept {
        const float value = plain(outer, row, lane);
        if (packing_.factors == 0) return value;
        const uint64_t each = packing_.lanes / packing_.factors;
        return static_cast<float>(static_cast<double>(value) * factors_[lane / each]);
    }

private:
    float plain(uint64_t outer, uint64_t row, uint64_t lane) const noexcept {
        const uint64_t place = (outer * packing_.rows + row) * packing_.lanes + lane;
        switch (packing_.as) {
            case kHalf: return from_half(reinterpret_cast<const uint16_t*>(numbers_)[place]);
            case kInt8:
                return static_cast<float>(reinterpret_cast<const int8_t*>(numbers_)[place]) * scale(outer, row, lane);
            case kInt4: {
                const int both = numbers_[place / 2];
                const int nibble = place % 2 == 0 ? both & 15 : both >> 4;
                return static_cast<float>(nibble < 8 ? nibble : nibble - 16) * scale(outer, row, lane);
            }
            default: return 0.0f;
        }
    }

    float scale(uint64_t outer, uint64_t row, uint64_t lane) const noexcept {
        const uint64_t groups = (uint64_t{packing_.rows} + packing_.group - 1) / packing_.group;
        const uint16_t upper = scales_[(outer * groups + row / packing_.group) * packing_.lanes + lane];
        return __builtin_bit_cast(float, static_cast<uint32_t>(upper) << 16);
    }

    const Packing& packing_;
    const double* factors_;
    const uint16_t* scales_;
    const unsigned char* numbers_;
};

void unpack_one(const Packing& packing, const unsigned char* packed, unsigned char* target) noexcept {
    const Numbers numbers(packing, packed);
    const uint64_t row_bytes = uint64_t{packing.lanes} * sizeof(float);
    for (uint64_t outer = 0; outer < packing.outer; ++outer) {
        unsigned char* block = target + packing.destination + outer * packing.outer_step * sizeof(float);
        if (packing.as == kWhole) {
            const uint64_t bytes = packing.rows * row_bytes;
            copy_bytes(block, packed + packing.source + packing.factors * sizeof(double) + outer * bytes, bytes);
            continue;
        }
        auto* values = reinterpret_cast<float*>(block);
        for (uint64_t row = 0; row < packing.rows; ++row) {
            for (uint64_t lane = 0; lane < packing.lanes; ++lane) *values++ = numbers.at(outer, row, lane);
        }
    }
}

}  // namespace

bool unpacked_bytes(const void* bytes, uint64_t count, uint64_t& unpacked, Problem& problem) noexcept {
    Verdict verdict(problem);
    problem.fault = Fault::none;
    unpacked = 0;
    Found found[kKinds];
    const auto* file = static_cast<const unsigned char*>(bytes);
    if (!prove_place(bytes, count, verdict) || !read_sections(file, count, 0, found, verdict)) return false;
    if (found[kPackings].bytes == nullptr) return true;
    const auto* packings = reinterpret_cast<const Packing*>(found[kPackings].bytes);
    const uint64_t pieces = found[kPackings].count / sizeof(Packing);
    if (found[kPackings].count % sizeof(Packing) != 0) {
        verdict.refuse(Fault::bad_plan) << "its packings are no whole number of them";
        return false;
    }
    uint64_t most = 0;
    for (uint64_t index = 0; index < pieces; ++index) {
        uint64_t end = 0;
        const char* fault = nullptr;
        if (!prove_packing(packings[index], found[kPacked].count, end, fault)) {
            verdict.refuse(Fault::bad_plan) << "packing " << static_cast<int64_t>(index) << ": " << fault;
            return false;
        }
        most = end > most ? end : most;
    }
    unpacked = rounded_up(most, kAlignment) + kBehind;
    return true;
}

void unpack(const void* bytes, unsigned char* target) noexcept {
    Problem problem;
    Verdict verdict(problem);
    uint64_t unpacked = 0;
    Found found[kKinds];
    const auto* file = static_cast<const unsigned char*>(bytes);
    const uint64_t count = static_cast<const Header*>(bytes)->bytes;
    if (!unpacked_bytes(bytes, count, unpacked, problem) || unpacked == 0) return;
    read_sections(file, count, 0, found, verdict);
    clear_bytes(target, unpacked);
    const auto* packings = reinterpret_cast<const Packing*>(found[kPackings].bytes);
    const uint64_t pieces = found[kPackings].count / sizeof(Packing);
    for (uint64_t index = 0; index < pieces; ++index) unpack_one(packings[index], found[kPacked].bytes, target);
}

}  // namespace neutone_like::compiled
