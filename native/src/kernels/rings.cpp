#include "kernels/rings.hpp"

#include "kernels/bytes.hpp"

namespace neutone_like::compiled {

namespace {

// Copies elements [from, from + count) of each row to [to, to + count).
void copy_columns(unsigned char* memory, const Buffer& ring, int64_t to, int64_t from, int64_t count) noexcept {
    const auto size = static_cast<int64_t>(element_bytes(ring.type));
    const int64_t pitch = ring.pitch * size;
    unsigned char* row = memory + ring.offset;
    for (int32_t index = 0; index < ring.rows; ++index, row += pitch) {
        copy_bytes(row + to * size, row + from * size, static_cast<uint64_t>(count * size));
    }
}

// The block went on from `place`: its end becomes the end of the history.
void slide(unsigned char* memory, const Buffer& ring, int64_t advance) noexcept {
    if (advance > 0) {
        copy_columns(memory, ring, ring.front - ring.history, ring.front + advance - ring.history, ring.history);
    }
}

// Once the block has gone round, what it wrote is wanted `length` before, and what it wrote beyond the last place but
// one `length`, twice as far. As the places hold the history, the copies overwrite nothing that is still wanted.
void keep_again(unsigned char* memory, const Buffer& ring, const RingPlace& now, int64_t distance) noexcept {
    const int64_t block = ring.front + now.place;
    const int64_t first_wanted = int64_t{ring.front} - ring.history + distance;
    const int64_t from = block > first_wanted ? block : first_wanted;
    const int64_t count = block + now.advance - from;
    if (count > 0) copy_columns(memory, ring, from - distance, from, count);
}

void walk(const Buffer& ring, RingPlace& now) noexcept {
    int64_t next = now.place + now.advance;
    if (next >= ring.length) next -= ring.length;
    now.walked_bytes = (next - now.place) * static_cast<int64_t>(element_bytes(ring.type));
    now.place = next;
}

void fill(unsigned char* memory, const unsigned char* initial, const Buffer& buffer) noexcept {
    const uint64_t size = element_bytes(buffer.type);
    if (buffer.kind == kState) {
        copy_bytes(memory + buffer.offset, initial, static_cast<uint64_t>(buffer.elements) * size);
        return;
    }
    const uint64_t bytes = static_cast<uint64_t>(buffer.history) * size;
    unsigned char* row = memory + buffer.offset + static_cast<uint64_t>(buffer.front - buffer.history) * size;
    for (int32_t index = 0; index < buffer.rows; ++index) {
        copy_bytes(row, initial, bytes);
        row += static_cast<uint64_t>(buffer.pitch) * size;
        initial += bytes;
    }
}

}  // namespace

void fill_states(Instance& instance) noexcept {
    const Image& image = *instance.image;
    for (uint32_t index = 0; index < image.buffer_count; ++index) {
        const Buffer& buffer = image.buffers[index];
        if (buffer.kind == kRing) instance.rings[index] = {0, 0, 0};
        if ((buffer.kind == kRing || buffer.kind == kState) && buffer.initial >= 0) {
            fill(instance.states, image.constants + buffer.initial, buffer);
        }
    }
}

void fit_rings(Instance& instance) noexcept {
    const Image& image = *instance.image;
    for (int32_t index = 0; index < image.facts->rings; ++index) {
        Line advance{};
        line_of(image.buffers[index].advance, image.lengths, advance);
        instance.rings[index].advance = advance.at(instance.at);
    }
}

void advance_rings(Instance& instance) noexcept {
    const Image& image = *instance.image;
    for (int32_t index = 0; index < image.facts->rings; ++index) {
        const Buffer& ring = image.buffers[index];
        RingPlace& now = instance.rings[index];
        if (ring.length == 0) {
            slide(instance.states, ring, now.advance);
        } else {
            keep_again(instance.states, ring, now, ring.length);
            keep_again(instance.states, ring, now, int64_t{2} * ring.length);
            walk(ring, now);
        }
    }
    for (uint64_t index = 0; index < instance.walking_count; ++index) {
        const WalkingOperand& walking = instance.walking[index];
        walking.operand->data =
            static_cast<unsigned char*>(walking.operand->data) + instance.rings[walking.ring].walked_bytes;
    }
}

}  // namespace neutone_like::compiled
