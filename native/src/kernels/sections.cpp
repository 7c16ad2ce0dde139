#include "kernels/sections.hpp"

#include "kernels/checksum.hpp"

namespace neutone_like::compiled {

namespace {

bool read_header(const unsigned char* bytes, uint64_t count, Verdict& verdict) noexcept {
    const auto* header = reinterpret_cast<const Header*>(bytes);
    for (uint64_t i = 0; i < sizeof kMagic; ++i) {
        if (i < count && bytes[i] == static_cast<unsigned char>(kMagic[i])) continue;
        verdict.refuse(Fault::no_model) << "it does not begin as a compiled model does";
        return false;
    }
    if (count < sizeof(Header)) {
        verdict.refuse(Fault::damaged) << "it ends within its first " << int64_t{sizeof(Header)} << " bytes";
    } else if (header->version < kVersion || header->version > kVersionOfFolded) {
        verdict.refuse(header->version > kVersionOfFolded ? Fault::too_new : Fault::damaged)
            << "it has version " << header->version << " of the format, this library reads versions " << kVersion
            << " to " << kVersionOfFolded;
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

bool is_of_packed(uint32_t kind) noexcept { return kind == kPackings || kind == kPacked; }

bool is_of_all_plans(uint32_t kind) noexcept {
    return kind == kMetadata || kind == kConstants || kind == kRates || is_of_packed(kind);
}

bool read_table(const unsigned char* bytes, uint64_t count, uint32_t plan, Found* found, Verdict& verdict) noexcept {
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

void forget(Found* found) noexcept {
    for (uint32_t kind = 0; kind < kKinds; ++kind) found[kind] = {nullptr, 0};
}

bool prove_unfolded(const unsigned char* bytes, Verdict& verdict) noexcept {
    if (reinterpret_cast<const Header*>(bytes)->version != kVersionOfFolded) return true;
    verdict.refuse(Fault::bad_plan) << "its tables are folded, and have to be unfolded before they are read";
    return false;
}

// Constants are packed in files of version 3, and only there; once, either way.
bool prove_constants(const unsigned char* bytes, const Found* found, Verdict& verdict) noexcept {
    const bool packed = reinterpret_cast<const Header*>(bytes)->version == kVersionOfPacked;
    const bool there = found[kPackings].bytes != nullptr && found[kPacked].bytes != nullptr;
    const bool none = found[kPackings].bytes == nullptr && found[kPacked].bytes == nullptr;
    if (packed ? there && found[kConstants].bytes == nullptr : none) return true;
    verdict.refuse(Fault::bad_plan) << "its constants should be " << (packed ? "packed" : "as they are played")
                                    << " in a file of this version, and once";
    return false;
}

}  // namespace

const char* name_of(uint32_t kind) noexcept {
    static constexpr const char* const kNames[kKinds] = {"?",           "metadata", "facts",    "buffers",
                                                         "views",       "steps",    "integers", "constants",
                                                         "test vector", "rates",    "packings", "packed"};
    return kind < kKinds ? kNames[kind] : "?";
}

bool prove_place(const void* bytes, uint64_t count, Verdict& verdict) noexcept {
    if (reinterpret_cast<uintptr_t>(bytes) % kAlignment != 0) {
        verdict.refuse(Fault::bad_plan) << "it must lie at a multiple of 64 bytes in memory";
        return false;
    }
    if (count > kMostMemory) {
        verdict.refuse(Fault::too_large) << "it has " << static_cast<int64_t>(count >> 20) << " MiB, the limit is "
                                         << static_cast<int64_t>(kMostMemory >> 20);
        return false;
    }
    return true;
}

bool prove_parts(const unsigned char* bytes, uint64_t count, Verdict& verdict) noexcept {
    Found found[kKinds];
    forget(found);
    return read_header(bytes, count, verdict) && read_table(bytes, count, 0, found, verdict);
}

bool read_sections(const unsigned char* bytes, uint64_t count, uint32_t plan, Found* found, Verdict& verdict) noexcept {
    forget(found);
    return read_header(bytes, count, verdict) && prove_unfolded(bytes, verdict) &&
           read_table(bytes, count, plan, found, verdict) && prove_constants(bytes, found, verdict);
}

}  // namespace neutone_like::compiled
