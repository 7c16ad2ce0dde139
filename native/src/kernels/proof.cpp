#include "kernels/proof.hpp"

namespace neutone_like::compiled {

namespace {

constexpr int64_t kMostGranule = 65536;
constexpr int64_t kMostLookBehind = 1 << 20;
constexpr int64_t kMostChannels = 64;
constexpr int64_t kMostParameters = 256;
constexpr int64_t kMostDelay = 1 << 24;
constexpr int64_t kMostTestSamples = 1 << 24;
constexpr int64_t kMostElements = int64_t{1} << 28;

bool in_range(const char* name, int64_t value, int64_t lowest, int64_t highest, Verdict& verdict) noexcept {
    if (value >= lowest && value <= highest) return true;
    verdict.refuse(Fault::bad_plan) << name << " must lie in " << lowest << ".." << highest << ", got " << value;
    return false;
}

bool prove_blocks(const Facts& facts, Verdict& verdict) noexcept {
    if (facts.granule > kMostGranule) {
        verdict.refuse(Fault::too_large) << "its blocks have up to " << facts.granule << " samples, the limit is "
                                         << kMostGranule;
        return false;
    }
    const int64_t multiple = facts.multiple_of;
    const bool fits = facts.shortest >= 1 && facts.shortest <= facts.granule && multiple >= 0 &&
                      (multiple == 0 ? facts.shortest == facts.granule
                                     : facts.shortest % multiple == 0 && facts.granule % multiple == 0);
    if (fits) return true;
    verdict.refuse(Fault::bad_plan) << "blocks of " << facts.shortest << ".." << facts.granule
                                    << " samples that are multiples of " << multiple << " can't be";
    return false;
}

struct Regions {
    uint64_t states;
    uint64_t arena;
    uint64_t constants;       // the section
    uint64_t from_constants;  // to the end of the file

    uint64_t bytes(uint32_t kind) const noexcept {
        return kind == kArena ? arena : kind == kConstant ? constants : states;
    }
};

bool refuse_buffer(uint32_t index, const char* what, Verdict& verdict) noexcept {
    verdict.refuse(Fault::bad_plan) << "buffer " << index << ": " << what;
    return false;
}

bool is_within(int64_t offset, uint64_t bytes, uint64_t region) noexcept {
    return offset >= 0 && static_cast<uint64_t>(offset) <= region && bytes <= region - static_cast<uint64_t>(offset);
}

bool prove_initial(const Buffer& buffer, uint32_t index, const Regions& regions, Verdict& verdict) noexcept {
    if (buffer.initial == -1 || (buffer.kind != kRing && buffer.kind != kState)) return true;
    const uint64_t size = element_bytes(buffer.type);
    const int64_t elements = buffer.kind == kState ? buffer.elements : int64_t{buffer.rows} * buffer.history;
    if (elements <= kMostElements && buffer.initial % static_cast<int64_t>(size) == 0 &&
        is_within(buffer.initial, static_cast<uint64_t>(elements) * size, regions.constants)) {
        return true;
    }
    return refuse_buffer(index, "what it holds at first is not within the constants", verdict);
}

bool prove_memory_of(const Buffer& buffer, uint32_t index, const Regions& regions, Verdict& verdict) noexcept {
    if (buffer.kind > kConstant || buffer.type > kFloat64) {
        return refuse_buffer(index, "its kind or its type is unknown", verdict);
    }
    if (buffer.elements < 0 || buffer.elements > kMostElements) {
        verdict.refuse(Fault::too_large) << "buffer " << index << " has " << buffer.elements
                                         << " elements, the limit is " << kMostElements;
        return false;
    }
    const uint64_t size = element_bytes(buffer.type);
    const uint64_t bytes = static_cast<uint64_t>(buffer.elements) * size;
    const uint64_t region = regions.bytes(buffer.kind);
    if (buffer.offset % kAlignment != 0) {
        return refuse_buffer(index, "it does not begin at a multiple of 64 bytes", verdict);
    }
    if (buffer.offset > region || bytes > region - buffer.offset) {
        return refuse_buffer(index, "it reaches beyond its memory", verdict);
    }
    // What is read may be read in whole vectors, and what comes last has no neighbour.
    if (buffer.kind == kConstant && buffer.offset + bytes + kVectorFloats * size > regions.from_constants) {
        return refuse_buffer(index, "the file must go on for 16 elements behind it", verdict);
    }
    return prove_initial(buffer, index, regions, verdict);
}

// Rows don't meet, the history lies before the block wherever that begins, and a copy of what is still needed is never
// overwritten.
bool prove_ring(const Buffer& ring, uint32_t index, const Lengths& lengths, Verdict& verdict) noexcept {
    if (ring.rows < 0 || ring.pitch < 0 || ring.history < 0 || ring.length < 0 || ring.front < ring.history) {
        return refuse_buffer(index, "its rows, pitch, history, length and front can't be", verdict);
    }
    Line advance{};
    if (ring.advance.denominator < 1 || !line_of(ring.advance, lengths, advance)) {
        return refuse_buffer(index, "it does not advance by a whole number", verdict);
    }
    const int64_t first = advance.first;
    const int64_t last = advance.last(lengths);
    const int64_t most = first > last ? first : last;
    if (first < 0 || last < 0 || most > kMostElements) {
        return refuse_buffer(index, "it does not advance by 0 or more", verdict);
    }
    if (ring.length > 0 && (ring.length < ring.history || ring.length < most)) {
        verdict.refuse(Fault::bad_plan) << "buffer " << index << ": a ring of " << ring.length
                                        << " places is too short for " << ring.history << " past elements, or for "
                                        << most << " new ones";
        return false;
    }
    const int64_t row = ring.front + places_of(ring) - 1 + most;
    if (ring.rows > 0 &&
        ((ring.rows > 1 && row > ring.pitch) || (int64_t{ring.rows} - 1) * ring.pitch + row > ring.elements)) {
        return refuse_buffer(index, "its rows don't fit", verdict);
    }
    return true;
}

}  // namespace

bool prove_facts(const Image& image, Verdict& verdict) noexcept {
    const Facts& facts = *image.facts;
    return prove_blocks(facts, verdict) && in_range("look_behind", facts.look_behind, 0, kMostLookBehind, verdict) &&
           in_range("in_channels", facts.in_channels, 1, kMostChannels, verdict) &&
           in_range("out_channels", facts.out_channels, 1, kMostChannels, verdict) &&
           in_range("parameters", facts.parameters, 0, kMostParameters, verdict) &&
           in_range("delay_samples", facts.delay_samples, 0, kMostDelay, verdict) &&
           in_range("test_samples", facts.test_samples, 0, kMostTestSamples, verdict) &&
           in_range("rings", facts.rings, 0, image.buffer_count, verdict) &&
           in_range("inputs", facts.inputs, facts.parameters + 1, facts.parameters + 1, verdict) &&
           in_range("views", image.view_count, facts.inputs, int64_t{1} << 31, verdict) &&
           in_range("output", facts.output, 0, int64_t{image.view_count} - 1, verdict) &&
           in_range("MiB of arena", static_cast<int64_t>(facts.arena_bytes >> 20), 0, kMostMemory >> 20, verdict) &&
           in_range("MiB of states", static_cast<int64_t>(facts.state_bytes >> 20), 0, kMostMemory >> 20, verdict);
}

bool prove_buffers(const Image& image, uint64_t bytes_from_constants, Verdict& verdict) noexcept {
    const Regions regions{image.facts->state_bytes, image.facts->arena_bytes, image.constant_bytes,
                          bytes_from_constants};
    for (uint32_t index = 0; index < image.buffer_count; ++index) {
        const Buffer& buffer = image.buffers[index];
        const bool is_ring = index < static_cast<uint32_t>(image.facts->rings);
        if (!prove_memory_of(buffer, index, regions, verdict)) return false;
        if ((buffer.kind == kRing) != is_ring) return refuse_buffer(index, "rings come first, and only they", verdict);
        if (is_ring && !prove_ring(buffer, index, image.lengths, verdict)) return false;
    }
    return true;
}

}  // namespace neutone_like::compiled
