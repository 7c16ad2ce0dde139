#include "kernels/reader.hpp"

#include "kernels/checksum.hpp"
#include "kernels/player.hpp"
#include "kernels/proof.hpp"

namespace neutone_like::compiled {

namespace {

constexpr uint32_t kKinds = kRates + 1;
constexpr uint64_t kChecksumFrom = 16;  // Header::bytes

struct Found {
    const unsigned char* bytes;
    uint64_t count;
};

const char* name_of(uint32_t kind) noexcept {
    static constexpr const char* const kNames[kKinds] = {"?",     "metadata", "facts",     "buffers",     "views",
                                                         "steps", "integers", "constants", "test vector", "rates"};
    return kind < kKinds ? kNames[kind] : "?";
}

bool read_header(const unsigned char* bytes, uint64_t count, Verdict& verdict) noexcept {
    const auto* header = reinterpret_cast<const Header*>(bytes);
    for (uint64_t i = 0; i < sizeof kMagic; ++i) {
        if (i < count && bytes[i] == static_cast<unsigned char>(kMagic[i])) continue;
        verdict.refuse(Fault::no_model) << "it does not begin as a compiled model does";
        return false;
    }
    if (count < sizeof(Header)) {
        verdict.refuse(Fault::damaged) << "it ends within its first " << int64_t{sizeof(Header)} << " bytes";
    } else if (header->version < kVersion || header->version > kVersionOfPlans) {
        verdict.refuse(header->version > kVersionOfPlans ? Fault::too_new : Fault::damaged)
            << "it has version " << header->version << " of the format, this library reads versions " << kVersion
            << " to " << kVersionOfPlans;
    } else if (header->bytes != count) {
        verdict.refuse(Fault::damaged) << "it should have " << static_cast<int64_t>(header->bytes) << " bytes, and has "
                                       << static_cast<int64_t>(count);
    } else if (crc32(bytes + kChecksumFrom, count - kChecksumFrom) != header->checksum) {
        verdict.refuse(Fault::damaged) << "its checksum does not fit what it holds";
    } else {
        return true;
    }
    return false;
}

bool is_of_all_plans(uint32_t kind) noexcept { return kind == kMetadata || kind == kConstants || kind == kRates; }

// Those of one plan, and those of all.
bool read_sections(const unsigned char* bytes, uint64_t count, uint32_t plan, Found* found, Verdict& verdict) noexcept {
    const uint64_t sections = reinterpret_cast<const Header*>(bytes)->sections;
    if (sections > kKinds * kMostPlans || sizeof(Header) + sections * sizeof(Section) > count) {
        verdict.refuse(Fault::bad_plan) << "it says that it has " << static_cast<int64_t>(sections) << " sections";
        return false;
    }
    const auto* section = reinterpret_cast<const Section*>(bytes + sizeof(Header));
    for (const Section* end = section + sections; section != end; ++section) {
        const bool known = section->kind >= kMetadata && section->kind < kKinds &&
                           section->plan < (is_of_all_plans(section->kind) ? 1 : kMostPlans);
        const bool wanted = known && (is_of_all_plans(section->kind) || section->plan == plan);
        const bool inside = section->offset <= count && section->bytes <= count - section->offset;
        const bool twice = wanted && found[section->kind].bytes != nullptr;
        if (!known || !inside || section->offset % kAlignment != 0 || twice) {
            verdict.refuse(Fault::bad_plan)
                << "section " << section->kind << " (" << name_of(section->kind)
                << (!known                              ? ") is unknown"
                    : !inside                           ? ") reaches beyond the file"
                    : section->offset % kAlignment != 0 ? ") does not begin at a multiple of 64 bytes"
                                                        : ") is there twice");
            return false;
        }
        if (wanted) found[section->kind] = {bytes + section->offset, section->bytes};
    }
    return true;
}

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
    image.constants = found[kConstants].bytes;
    image.constant_bytes = found[kConstants].count;
    return true;
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

bool prove_all(const unsigned char* bytes, uint64_t count, uint32_t plan, Image& image, Verdict& verdict) noexcept {
    Found found[kKinds];
    for (Found& each : found) each = {nullptr, 0};
    if (!read_header(bytes, count, verdict) || !read_sections(bytes, count, plan, found, verdict) ||
        !take_rates(found, plan, image, verdict) || !take_all(found, image, verdict) || !prove_facts(image, verdict)) {
        return false;
    }
    image.lengths = lengths_of(*image.facts);
    const uint64_t from_constants =
        image.constants == nullptr ? 0 : count - static_cast<uint64_t>(image.constants - bytes);
    return prove_test_vector(image, found[kTestVector].count, verdict) &&
           prove_buffers(image, from_constants, verdict) && prove_views(image, verdict) && prove_ends(image, verdict) &&
           prove_steps(image, verdict) && prove_memory(image, verdict);
}

}  // namespace

bool read_image(const void* bytes, uint64_t count, const KernelTable& kernels, Image& image, Problem& problem,
                uint32_t plan) noexcept {
    Verdict verdict(problem);
    problem.fault = Fault::none;
    image.kernels = &kernels;
    image.scratch_bytes = 0;
    if (reinterpret_cast<uintptr_t>(bytes) % kAlignment != 0) {
        verdict.refuse(Fault::bad_plan) << "it must lie at a multiple of 64 bytes in memory";
        return false;
    }
    if (count > kMostMemory) {
        verdict.refuse(Fault::too_large) << "it has " << static_cast<int64_t>(count >> 20) << " MiB, the limit is "
                                         << static_cast<int64_t>(kMostMemory >> 20);
        return false;
    }
    return prove_all(static_cast<const unsigned char*>(bytes), count, plan, image, verdict);
}

}  // namespace neutone_like::compiled
