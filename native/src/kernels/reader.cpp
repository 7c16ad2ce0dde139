#include "kernels/reader.hpp"

#include "kernels/player.hpp"
#include "kernels/proof.hpp"
#include "kernels/sections.hpp"

namespace neutone_like::compiled {

namespace {

// The section as an array; an absent one is empty.
template <typename Item>
bool take(const Found* found, uint32_t kind, const Item*& items, uint32_t& count, Verdict& verdict) noexcept {
    items = reinterpret_cast<const Item*>(found[kind].bytes);
    count = static_cast<uint32_t>(found[kind].count / sizeof(Item));
    if (found[kind].count % sizeof(Item) == 0) return true;
    verdict.refuse(Fault::bad_plan) << "section " << kind << " (" << name_of(kind) << ") has "
                                    << static_cast<int64_t>(found[kind].count) << " bytes, no multiple of "
                                    << static_cast<int64_t>(sizeof(Item));
    return false;
}

// A rate of each plan, each once.
bool take_rates(const Found* found, uint32_t plan, Image& image, Verdict& verdict) noexcept {
    if (!take(found, kRates, image.rates, image.plans, verdict)) return false;
    if (image.rates == nullptr) image.plans = 1;
    if (plan >= image.plans || image.plans > kMostPlans) {
        verdict.refuse(Fault::bad_plan) << "plan " << plan << " is asked for, and it says that it has " << image.plans;
        return false;
    }
    for (uint32_t index = 0; image.rates != nullptr && index < image.plans; ++index) {
        bool there = image.rates[index] < 1;
        for (uint32_t before = 0; before < index; ++before) there = there || image.rates[before] == image.rates[index];
        if (!there) continue;
        verdict.refuse(Fault::bad_plan) << "its plans can't be for " << image.rates[index] << " Hz, or not twice";
        return false;
    }
    return true;
}

bool take_all(const Found* found, Image& image, Verdict& verdict) noexcept {
    uint32_t facts = 0;
    uint32_t values = 0;
    if (!take(found, kFacts, image.facts, facts, verdict) ||
        !take(found, kBuffers, image.buffers, image.buffer_count, verdict) ||
        !take(found, kViews, image.views, image.view_count, verdict) ||
        !take(found, kSteps, image.steps, image.step_count, verdict) ||
        !take(found, kIntegers, image.integers, image.integer_count, verdict) ||
        !take(found, kTestVector, image.test_vector, values, verdict)) {
        return false;
    }
    if (facts != 1) {
        verdict.refuse(Fault::bad_plan) << "it should have one set of facts, and has " << facts;
        return false;
    }
    image.metadata = reinterpret_cast<const char*>(found[kMetadata].bytes);
    image.metadata_bytes = found[kMetadata].count;
    return true;
}

// Those of the file, or those that were unpacked. Gives the bytes from their beginning on that may be read.
uint64_t take_constants(const Found* found, const unsigned char* bytes, uint64_t count, const Unpacked& unpacked,
                        Image& image) noexcept {
    image.constants = found[kConstants].bytes;
    image.constant_bytes = found[kConstants].count;
    if (unpacked.bytes != nullptr) {
        image.constants = unpacked.bytes;
        image.constant_bytes = unpacked.count;
        return unpacked.count;
    }
    return image.constants == nullptr ? 0 : count - static_cast<uint64_t>(image.constants - bytes);
}

bool prove_test_vector(const Image& image, uint64_t bytes, Verdict& verdict) noexcept {
    const Facts& facts = *image.facts;
    const int64_t samples = facts.test_samples;
    const int64_t floats =
        facts.in_channels * (samples + facts.look_behind) + facts.out_channels * samples + facts.parameters;
    if (image.test_vector == nullptr || bytes == static_cast<uint64_t>(floats) * sizeof(float)) return true;
    verdict.refuse(Fault::bad_plan) << "its test vector should have " << floats << " numbers, and has "
                                    << static_cast<int64_t>(bytes / sizeof(float));
    return false;
}

bool prove_memory(const Image& image, Verdict& verdict) noexcept {
    const uint64_t bytes = instance_bytes(image);
    if (bytes <= kMostMemory) return true;
    verdict.refuse(Fault::too_large) << "it needs " << static_cast<int64_t>(bytes >> 20)
                                     << " MiB to play, the limit is " << static_cast<int64_t>(kMostMemory >> 20);
    return false;
}

bool prove_all(const unsigned char* bytes, uint64_t count, uint32_t plan, const Unpacked& unpacked, Image& image,
               Verdict& verdict) noexcept {
    Found found[kKinds];
    if (!read_sections(bytes, count, plan, found, verdict) || !take_rates(found, plan, image, verdict) ||
        !take_all(found, image, verdict) || !prove_facts(image, verdict)) {
        return false;
    }
    image.lengths = lengths_of(*image.facts);
    const uint64_t from_constants = take_constants(found, bytes, count, unpacked, image);
    return prove_test_vector(image, found[kTestVector].count, verdict) &&
           prove_buffers(image, from_constants, verdict) && prove_views(image, verdict) && prove_ends(image, verdict) &&
           prove_steps(image, verdict) && prove_memory(image, verdict);
}

}  // namespace

bool read_image(const void* bytes, uint64_t count, const KernelTable& kernels, Image& image, Problem& problem,
                uint32_t plan, Unpacked unpacked) noexcept {
    Verdict verdict(problem);
    problem.fault = Fault::none;
    image.kernels = &kernels;
    image.scratch_bytes = 0;
    return prove_place(bytes, count, verdict) &&
           prove_all(static_cast<const unsigned char*>(bytes), count, plan, unpacked, image, verdict);
}

}  // namespace neutone_like::compiled
