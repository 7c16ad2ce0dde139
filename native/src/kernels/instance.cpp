#include "kernels/instance.hpp"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_poison_memory_region(const volatile void* memory, size_t bytes);
#endif

namespace neutone_like::compiled {

namespace {

void forbid([[maybe_unused]] unsigned char* memory) noexcept {
#if defined(__SANITIZE_ADDRESS__)
    __asan_poison_memory_region(memory, kRedZone);
#endif
}

// Hands out one part of the memory after another.
class Parts {
public:
    explicit Parts(unsigned char* memory) noexcept : memory_(memory) {}

    template <typename Item>
    Item* take(uint64_t count) noexcept {
        unsigned char* part = memory_ == nullptr ? nullptr : memory_ + used_;
        used_ += rounded_up(count * sizeof(Item), kAlignment);
        if (memory_ != nullptr) forbid(memory_ + used_);
        used_ += kRedZone;
        return reinterpret_cast<Item*>(part);
    }
    uint64_t used() const noexcept { return used_; }

private:
    unsigned char* memory_;
    uint64_t used_ = 0;
};

void count_operands(const Image& image, Instance& instance) noexcept {
    instance.operand_count = instance.growing_count = instance.moving_count = instance.walking_count = 0;
    for_each_operand(image, [&](uint64_t, const View& view) {
        ++instance.operand_count;
        for (uint32_t dim = 0; dim < view.rank; ++dim) instance.growing_count += view.dims[dim].numerator != 0 ? 1 : 0;
        instance.moving_count += view.offset.numerator != 0 ? 1 : 0;
        instance.walking_count += walks(image.buffers[view.buffer]) ? 1 : 0;
    });
}

}  // namespace

uint64_t lay_out(const Image& image, unsigned char* memory, Instance& instance) noexcept {
    count_operands(image, instance);
    Parts parts(memory);
    parts.take<Instance>(1);
    instance.image = &image;
    instance.rings = parts.take<RingPlace>(static_cast<uint64_t>(image.facts->rings));
    instance.steps = parts.take<PlannedStep>(image.step_count);
    instance.operands = parts.take<Operand>(instance.operand_count);
    instance.growing = parts.take<GrowingDimension>(instance.growing_count);
    instance.moving = parts.take<MovingOperand>(instance.moving_count);
    instance.walking = parts.take<WalkingOperand>(instance.walking_count);
    instance.states = parts.take<unsigned char>(image.facts->state_bytes + kSlack);
    instance.arena = parts.take<unsigned char>(image.facts->arena_bytes + kSlack);
    instance.scratch = parts.take<unsigned char>(image.scratch_bytes);
    return parts.used();
}

}  // namespace neutone_like::compiled
