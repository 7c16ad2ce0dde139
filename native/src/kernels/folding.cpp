// Files of version 4: their tables are folded, see kVersionOfFolded in format.hpp. Nothing in a table is believed here but
// where it ends: what it unfolds to is proved as any other file is.
#include "kernels/bytes.hpp"
#include "kernels/checksum.hpp"
#include "kernels/reader.hpp"
#include "kernels/sections.hpp"

namespace neutone_like::compiled {

namespace {

constexpr uint64_t kWordBytes = 4;
constexpr uint64_t kMaskWords = 8;  // that share a byte which says what they are made of

bool is_folded(uint32_t kind) noexcept {
    return kind == kBuffers || kind == kViews || kind == kSteps || kind == kIntegers || kind == kPackings;
}

// How many words of a table before each one lies the one that it is the difference to; 0: none.
uint64_t item_words(uint32_t kind) noexcept {
    switch (kind) {
        case kBuffers: return sizeof(Buffer) / kWordBytes;
        case kViews: return sizeof(View) / kWordBytes;
        case kSteps: return sizeof(Step) / kWordBytes;
        case kPackings: return sizeof(Packing) / kWordBytes;
        default: return 0;
    }
}

bool is_of_folded(const unsigned char* bytes, uint64_t count) noexcept {
    if (count < sizeof(Header)) return false;
    for (uint64_t i = 0; i < sizeof kMagic; ++i) {
        if (bytes[i] != static_cast<unsigned char>(kMagic[i])) return false;
    }
    return reinterpret_cast<const Header*>(bytes)->version == kVersionOfFolded;
}

// Seven bits in each byte, the lowest first; the eighth says that more follow.
bool read_number(const unsigned char*& at, const unsigned char* end, uint32_t& number) noexcept {
    number = 0;
    for (uint32_t shift = 0; shift < 32; shift += 7) {
        if (at == end) return false;
        const uint32_t byte = *at++;
        number |= (byte & 127u) << shift;
        if (byte < 128) return true;
    }
    return false;
}

// 0, 1, 2, 3... stand for 0, -1, 1, -2...
uint32_t signed_of(uint32_t number) noexcept { return (number >> 1) ^ (0u - (number & 1u)); }

uint64_t words_of(const unsigned char* table, const Section& section) noexcept {
    return section.bytes < kWordBytes ? 0 : *reinterpret_cast<const Four*>(table);
}

// False where the table isn't as long as its words make it. `target` null: it is only read.
bool unfold_table(const unsigned char* table, const Section& section, unsigned char* target) noexcept {
    const unsigned char* const end = table + section.bytes;
    const unsigned char* at = table + kWordBytes;
    if (section.bytes < kWordBytes) return false;
    const uint64_t words = words_of(table, section);
    const uint64_t stride = item_words(section.kind);
    auto* const made = reinterpret_cast<Four*>(target);
    uint32_t mask = 0;
    for (uint64_t word = 0; word < words; ++word) {
        if (word % kMaskWords == 0) {
            if (at == end) return false;
            mask = *at++;
        }
        uint32_t number = 0;
        if ((mask >> (word % kMaskWords) & 1u) != 0 && !read_number(at, end, number)) return false;
        if (target == nullptr) continue;
        made[word] = signed_of(number) + (stride > 0 && word >= stride ? made[word - stride] : 0);
    }
    return at == end;
}

uint64_t unfolded_bytes_of(const unsigned char* bytes, const Section& section) noexcept {
    return is_folded(section.kind) ? kWordBytes * words_of(bytes + section.offset, section) : section.bytes;
}

uint64_t first_part(uint64_t sections) noexcept {
    return rounded_up(sizeof(Header) + sections * sizeof(Section), kAlignment);
}

void copy_part(unsigned char* target, const unsigned char* source, uint64_t count) noexcept {
    const uint64_t whole = count / kWordBytes * kWordBytes;
    copy_bytes(target, source, whole);
    for (uint64_t i = whole; i < count; ++i) target[i] = source[i];
}

}  // namespace

bool unfolded_bytes(const void* bytes, uint64_t count, uint64_t& unfolded, Problem& problem) noexcept {
    Verdict verdict(problem);
    problem.fault = Fault::none;
    unfolded = 0;
    const auto* file = static_cast<const unsigned char*>(bytes);
    if (!prove_place(bytes, count, verdict)) return false;
    if (!is_of_folded(file, count)) return true;
    if (!prove_parts(file, count, verdict)) return false;
    const auto* section = reinterpret_cast<const Section*>(file + sizeof(Header));
    const uint64_t sections = reinterpret_cast<const Header*>(file)->sections;
    uint64_t total = first_part(sections);
    for (const Section* end = section + sections; section != end; ++section) {
        if (is_folded(section->kind) && !unfold_table(file + section->offset, *section, nullptr)) {
            verdict.refuse(Fault::bad_plan)
                << "its folded " << name_of(section->kind) << " are not as long as they say that they are";
            return false;
        }
        total += rounded_up(unfolded_bytes_of(file, *section), kAlignment);
    }
    if (total > kMostMemory) {
        verdict.refuse(Fault::too_large) << "it would have " << static_cast<int64_t>(total >> 20)
                                         << " MiB with its tables unfolded, the limit is "
                                         << static_cast<int64_t>(kMostMemory >> 20);
        return false;
    }
    unfolded = total;
    return true;
}

void unfold(const void* bytes, unsigned char* target) noexcept {
    const auto* file = static_cast<const unsigned char*>(bytes);
    const auto* from = reinterpret_cast<const Section*>(file + sizeof(Header));
    const uint64_t sections = reinterpret_cast<const Header*>(file)->sections;
    Header header = *reinterpret_cast<const Header*>(file);
    header.version = kVersion;
    header.bytes = first_part(sections);
    for (const Section* section = from; section != from + sections; ++section) {
        header.bytes += rounded_up(unfolded_bytes_of(file, *section), kAlignment);
        const uint32_t version = section->kind == kPackings ? kVersionOfPacked
                                 : section->kind == kRates  ? kVersionOfPlans
                                                            : kVersion;
        header.version = version > header.version ? version : header.version;
    }
    clear_bytes(target, header.bytes);
    auto* to = reinterpret_cast<Section*>(target + sizeof(Header));
    uint64_t offset = first_part(sections);
    for (const Section* section = from; section != from + sections; ++section, ++to) {
        *to = {section->kind, section->plan, offset, unfolded_bytes_of(file, *section)};
        if (is_folded(section->kind)) {
            unfold_table(file + section->offset, *section, target + offset);
        } else {
            copy_part(target + offset, file + section->offset, section->bytes);
        }
        offset += rounded_up(to->bytes, kAlignment);
    }
    *reinterpret_cast<Header*>(target) = header;
    reinterpret_cast<Header*>(target)->checksum = crc32(target + kChecksumFrom, header.bytes - kChecksumFrom);
}

}  // namespace neutone_like::compiled
