// What an instance's memory holds, and where.
#pragma once

#include "kernels/image.hpp"

namespace neutone_like::compiled {

constexpr uint64_t kSlack =
    kVectorFloats * sizeof(double);  // behind states and arena, which may be read in whole vectors
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kRedZone = kAlignment;  // between the parts; nobody may touch it
#else
constexpr uint64_t kRedZone = 0;
#endif

struct PlannedStep {
    void (*run)(const Call& call);
    Call call;
};

// Where a ring's block begins, and how far it moves on after a block of the present length, in elements.
struct RingPlace {
    int64_t place;  // from Buffer::front on
    int64_t advance;
    int64_t walked_bytes;  // with the last block
};

// A dimension that depends on the block.
struct GrowingDimension {
    int32_t* dimension;
    Line line;
};

// An operand whose place depends on the block.
struct MovingOperand {
    Operand* operand;
    const View* view;
};

// An operand in a ring whose blocks walk.
struct WalkingOperand {
    Operand* operand;
    uint32_t ring;
};

struct Instance {
    const Image* image;
    RingPlace* rings;
    PlannedStep* steps;
    Operand* operands;  // those of the steps, then those that audio and parameters go to, then the output
    GrowingDimension* growing;
    MovingOperand* moving;
    WalkingOperand* walking;
    unsigned char* states;
    unsigned char* arena;
    unsigned char* scratch;
    uint64_t operand_count;
    uint64_t growing_count;
    uint64_t moving_count;
    uint64_t walking_count;
    int64_t at;  // the index of the length that all of it fits now
};

// Calls each(operand's index, view) for all operands, in their order.
template <typename Each>
void for_each_operand(const Image& image, Each each) noexcept {
    uint64_t operand = 0;
    for (uint32_t index = 0; index < image.step_count; ++index) {
        const Step& step = image.steps[index];
        for (uint32_t view = 0; view < step.views; ++view) each(operand++, image.views[step.first_view + view]);
    }
    for (int32_t view = 0; view < image.facts->inputs; ++view) each(operand++, image.views[view]);
    each(operand++, image.views[image.facts->output]);
}

inline bool walks(const Buffer& buffer) noexcept { return buffer.kind == kRing && buffer.length > 0; }

// Lays an instance out in `memory`, and says how many bytes it takes; with null it only counts.
uint64_t lay_out(const Image& image, unsigned char* memory, Instance& instance) noexcept;

}  // namespace neutone_like::compiled
