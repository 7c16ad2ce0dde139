// Writes files of compiled models by hand, whole ones and wrong ones.
#pragma once

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernels/checksum.hpp"
#include "kernels/format.hpp"

namespace plan {

using namespace neutone_like::compiled;

constexpr Extent fixed(int32_t value) { return {value, 0, 1}; }
constexpr Extent samples(int32_t base = 0, int32_t numerator = 1, int32_t denominator = 1) {
    return {base, numerator, denominator};
}

// Bytes at a multiple of 64, as an image needs them.
class Bytes {
public:
    explicit Bytes(size_t count) : memory_(count + 64), count_(count) {}
    Bytes(const Bytes& other) : Bytes(other.count_) { std::memcpy(data(), other.data(), count_); }
    Bytes& operator=(const Bytes&) = delete;

    unsigned char* data() { return memory_.data() + (64 - reinterpret_cast<uintptr_t>(memory_.data()) % 64) % 64; }
    const unsigned char* data() const { return const_cast<Bytes*>(this)->data(); }
    size_t size() const { return count_; }

private:
    std::vector<unsigned char> memory_;
    size_t count_;
};

// The sections of a file.
struct Parts {
    std::vector<Section> sections;
    std::string body;

    void add(uint32_t kind, uint32_t plan, const void* data, size_t bytes) {
        sections.push_back({kind, plan, body.size(), bytes});
        body.append(static_cast<const char*>(data), bytes);
        body.resize((body.size() + 63) / 64 * 64);
    }

    Bytes file(uint32_t version) const {
        const size_t begin = (sizeof(Header) + sections.size() * sizeof(Section) + 63) / 64 * 64;
        Bytes bytes(begin + body.size());
        std::memset(bytes.data(), 0, begin);
        auto* table = reinterpret_cast<Section*>(bytes.data() + sizeof(Header));
        for (Section section : sections) {
            section.offset += begin;
            *table++ = section;
        }
        std::memcpy(bytes.data() + begin, body.data(), body.size());
        auto* header = reinterpret_cast<Header*>(bytes.data());
        std::memcpy(header->magic, kMagic, sizeof kMagic);
        header->version = version;
        header->bytes = bytes.size();
        header->sections = static_cast<uint32_t>(sections.size());
        seal(bytes);
        return bytes;
    }

    static void seal(Bytes& bytes) {
        reinterpret_cast<Header*>(bytes.data())->checksum = crc32(bytes.data() + 16, bytes.size() - 16);
    }
};

// A number in bytes of seven bits, and a table of words as differences to those one item before.
inline void put_number(std::string& made, uint32_t number) {
    for (; number > 127; number >>= 7) made.push_back(static_cast<char>(number | 128u));
    made.push_back(static_cast<char>(number));
}

inline std::string folded_table(const std::vector<uint32_t>& words, size_t stride) {
    const auto count = static_cast<uint32_t>(words.size());
    std::string made(reinterpret_cast<const char*>(&count), sizeof count);
    for (size_t first = 0; first < words.size(); first += 8) {
        std::string numbers;
        unsigned mask = 0;
        for (size_t word = first; word < std::min(first + 8, words.size()); ++word) {
            const uint32_t before = stride > 0 && word >= stride ? words[word - stride] : 0;
            const auto difference = static_cast<int32_t>(words[word] - before);
            if (difference == 0) continue;
            mask |= 1u << (word - first);
            const auto twice = static_cast<uint32_t>(difference) * 2;
            put_number(numbers, difference < 0 ? ~twice : twice);
        }
        made.push_back(static_cast<char>(mask));
        made += numbers;
    }
    return made;
}

// A file of an earlier version with its tables folded.
inline Bytes folded_file(const Bytes& file) {
    const auto* section = reinterpret_cast<const Section*>(file.data() + sizeof(Header));
    const auto* end = section + reinterpret_cast<const Header*>(file.data())->sections;
    Parts parts;
    for (; section != end; ++section) {
        const size_t strides[] = {0, 0, 0, 16, 30, 5, 0, 0, 0, 0, 12, 0};
        const unsigned char* data = file.data() + section->offset;
        const bool is_table = strides[section->kind] > 0 || section->kind == kIntegers;
        std::vector<uint32_t> words(section->bytes / 4);
        if (!words.empty()) std::memcpy(words.data(), data, words.size() * 4);
        const std::string table = is_table ? folded_table(words, strides[section->kind]) : "";
        parts.add(section->kind, section->plan, is_table ? table.data() : reinterpret_cast<const char*>(data),
                  is_table ? table.size() : section->bytes);
    }
    return parts.file(kVersionOfFolded);
}

struct Builder {
    Facts facts{.shortest = 1,
                .multiple_of = 1,
                .granule = 64,
                .look_behind = 0,
                .in_channels = 1,
                .out_channels = 1,
                .parameters = 0,
                .delay_samples = 0,
                .rings = 0,
                .inputs = 1,
                .output = 0,
                .test_samples = 0,
                .arena_bytes = 0,
                .state_bytes = 0};
    std::vector<Buffer> buffers;
    std::vector<View> views;
    std::vector<Step> steps;
    std::vector<int32_t> integers;
    std::vector<float> constants;
    std::string metadata = "{}";

    // Memory for `elements` within a block, or between blocks.
    uint32_t memory(BufferKind kind, int64_t elements, ElementType type = kFloat32, int64_t initial = -1) {
        Buffer buffer{};
        buffer.kind = kind;
        buffer.type = type;
        buffer.elements = elements;
        buffer.initial = initial;
        buffer.advance = fixed(0);
        uint64_t& used = kind == kArena ? facts.arena_bytes : facts.state_bytes;
        buffer.offset = used;
        used += (static_cast<uint64_t>(elements) * (type == kFloat64 ? 8 : 4) + 63) / 64 * 64;
        buffers.push_back(buffer);
        return static_cast<uint32_t>(buffers.size() - 1);
    }

    // Rings must be asked for first. Room for blocks of up to `block` elements.
    uint32_t ring(int32_t rows, int32_t history, int32_t length, int32_t block, Extent advance, int64_t initial = -1) {
        const int32_t pitch = (history + (length > 0 ? length - 1 : 0) + block + 15) / 16 * 16;
        const uint32_t index = memory(kRing, int64_t{rows} * pitch, kFloat32, initial);
        Buffer& ring = buffers[index];
        ring.rows = rows;
        ring.pitch = pitch;
        ring.history = ring.front = history;
        ring.length = length;
        ring.advance = advance;
        ++facts.rings;
        return index;
    }

    uint32_t constant(const std::vector<float>& values) {
        Buffer buffer{};
        buffer.kind = kConstant;
        buffer.offset = constants.size() * sizeof(float);
        buffer.elements = static_cast<int64_t>(values.size());
        buffer.initial = -1;
        buffer.advance = fixed(0);
        constants.insert(constants.end(), values.begin(), values.end());
        constants.resize((constants.size() + 15) / 16 * 16 + 16);
        buffers.push_back(buffer);
        return static_cast<uint32_t>(buffers.size() - 1);
    }

    uint32_t view(uint32_t buffer, Extent offset, std::vector<Extent> dims, std::vector<int32_t> strides,
                  uint32_t flags = 0) {
        View view{};
        view.buffer = buffer;
        view.rank = static_cast<uint32_t>(dims.size());
        view.flags = flags;
        view.offset = offset;
        for (auto& dim : view.dims) dim = fixed(0);
        for (size_t i = 0; i < dims.size(); ++i) view.dims[i] = dims[i], view.strides[i] = strides[i];
        views.push_back(view);
        return static_cast<uint32_t>(views.size() - 1);
    }

    // The last views that were made, and the last whole numbers.
    void step(uint32_t kernel, uint32_t view_count, uint32_t integer_count = 0) {
        steps.push_back({kernel, static_cast<uint32_t>(views.size()) - view_count, view_count,
                         static_cast<uint32_t>(integers.size()) - integer_count, integer_count});
    }

    Bytes file(const std::vector<float>& test_vector = {}) const {
        Parts parts;
        parts.add(kMetadata, 0, metadata.data(), metadata.size());
        add_plan(parts, 0);
        parts.add(kConstants, 0, constants.data(), constants.size() * sizeof(float));
        if (!test_vector.empty()) parts.add(kTestVector, 0, test_vector.data(), test_vector.size() * sizeof(float));
        return parts.file(kVersion);
    }

    // This one, and others with the same constants, each for a rate.
    Bytes file_for_rates(const std::vector<Builder>& others, const std::vector<int32_t>& rates) const {
        Parts parts;
        parts.add(kMetadata, 0, metadata.data(), metadata.size());
        add_plan(parts, 0);
        for (size_t index = 0; index < others.size(); ++index) {
            others[index].add_plan(parts, static_cast<uint32_t>(index + 1));
        }
        parts.add(kConstants, 0, constants.data(), constants.size() * sizeof(float));
        parts.add(kRates, 0, rates.data(), rates.size() * sizeof(int32_t));
        return parts.file(kVersionOfPlans);
    }

    // With packed constants.
    Bytes packed_file(const std::vector<Packing>& packings, const std::string& packed) const {
        Parts parts;
        parts.add(kMetadata, 0, metadata.data(), metadata.size());
        add_plan(parts, 0);
        parts.add(kPackings, 0, packings.data(), packings.size() * sizeof(Packing));
        parts.add(kPacked, 0, packed.data(), packed.size());
        return parts.file(kVersionOfPacked);
    }

    void add_plan(Parts& parts, uint32_t plan) const {
        parts.add(kFacts, plan, &facts, sizeof facts);
        parts.add(kBuffers, plan, buffers.data(), buffers.size() * sizeof(Buffer));
        parts.add(kViews, plan, views.data(), views.size() * sizeof(View));
        parts.add(kSteps, plan, steps.data(), steps.size() * sizeof(Step));
        parts.add(kIntegers, plan, integers.data(), integers.size() * sizeof(int32_t));
    }

    static void seal(Bytes& bytes) { Parts::seal(bytes); }
};

}  // namespace plan
