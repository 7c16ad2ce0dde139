#include "kernels/player.hpp"

#include "kernels/bytes.hpp"
#include "kernels/instance.hpp"
#include "kernels/operands.hpp"
#include "kernels/pieces.hpp"
#include "kernels/rings.hpp"

#if defined(__SANITIZE_ADDRESS__)
extern "C" void __asan_unpoison_memory_region(const volatile void* memory, size_t bytes);
#endif

namespace neutone_like::compiled {

namespace {

void* place_of(const Instance& instance, const View& view) noexcept {
    const Image& image = *instance.image;
    const Buffer& buffer = image.buffers[view.buffer];
    Line offset{};
    line_of(view.offset, image.lengths, offset);
    int64_t element = offset.at(instance.at);
    if (buffer.kind == kRing) element += buffer.front + instance.rings[view.buffer].place;
    // Constants are only read: operands in them are not writable.
    unsigned char* memory = buffer.kind == kArena      ? instance.arena
                            : buffer.kind == kConstant ? const_cast<unsigned char*>(image.constants)
                                                       : instance.states;
    return memory + buffer.offset + element * static_cast<int64_t>(element_bytes(buffer.type));
}

void place_all(Instance& instance) noexcept {
    for_each_operand(*instance.image, [&](uint64_t index, const View& view) {
        instance.operands[index].data = place_of(instance, view);
    });
}

void make_steps(Instance& instance) noexcept {
    const Image& image = *instance.image;
    const Operand* operands = instance.operands;
    for (uint32_t index = 0; index < image.step_count; ++index) {
        const Step& step = image.steps[index];
        const Call call{operands, image.integers + step.first_integer, step.views, step.integers, instance.scratch};
        instance.steps[index] = {kernel_of(*image.kernels, step.kernel, call).run, call};
        operands += step.views;
    }
}

void make_operands(Instance& instance) noexcept {
    const Image& image = *instance.image;
    uint64_t growing = 0;
    uint64_t moving = 0;
    uint64_t walking = 0;
    for_each_operand(image, [&](uint64_t index, const View& view) {
        Operand& operand = instance.operands[index];
        make_operand(image, view, operand,
                     [&](int32_t& dimension, Line line) { instance.growing[growing++] = {&dimension, line}; });
        if (view.offset.numerator != 0) instance.moving[moving++] = {&operand, &view};
        if (walks(image.buffers[view.buffer])) instance.walking[walking++] = {&operand, view.buffer};
    });
    instance.growing_count = growing;
}

void fit_length(Instance& instance, int64_t at) noexcept {
    instance.at = at;
    for (uint64_t index = 0; index < instance.growing_count; ++index) {
        const GrowingDimension& growing = instance.growing[index];
        *growing.dimension = static_cast<int32_t>(growing.line.at(at));
    }
    for (uint64_t index = 0; index < instance.moving_count; ++index) {
        const MovingOperand& moving = instance.moving[index];
        moving.operand->data = place_of(instance, *moving.view);
    }
    fit_rings(instance);
}

const Operand& end_at(const Instance& instance, int64_t from_last) noexcept {
    return instance.operands[instance.operand_count - 1 - static_cast<uint64_t>(from_last)];
}

void take_audio(const Instance& instance, const Passage& passage, int64_t from) noexcept {
    const Operand& audio = end_at(instance, instance.image->facts->inputs);
    for (int64_t channel = 0; channel < audio.dims[0]; ++channel) {
        copy_floats(audio.floats() + channel * audio.strides[0], audio.strides[1], passage.audio_in[channel] + from, 1,
                    audio.dims[1]);
    }
}

// Where the plan wants one value, the first one of the block stands for all.
void take_parameters(const Instance& instance, const Passage& passage, int64_t from) noexcept {
    const int64_t parameters = instance.image->facts->parameters;
    for (int64_t index = 0; index < parameters; ++index) {
        const Operand& parameter = end_at(instance, parameters - index);
        const bool per_sample = passage.parameter_lengths[index] > 1;
        copy_floats(parameter.floats(), parameter.strides[0], passage.parameters[index] + (per_sample ? from : 0),
                    per_sample ? 1 : 0, parameter.dims[0]);
    }
}

void give_audio(const Instance& instance, const Passage& passage, int64_t from) noexcept {
    const Operand& audio = end_at(instance, 0);
    for (int64_t channel = 0; channel < audio.dims[0]; ++channel) {
        copy_floats(passage.audio_out[channel] + from, 1, audio.floats() + channel * audio.strides[0], audio.strides[1],
                    audio.dims[1]);
    }
}

void play_block(Instance& instance, const Passage& passage, int64_t from) noexcept {
    take_audio(instance, passage, from);
    take_parameters(instance, passage, from);
    const PlannedStep* const end = instance.steps + instance.image->step_count;
    for (const PlannedStep* step = instance.steps; step != end; ++step) step->run(step->call);
    give_audio(instance, passage, from);
    advance_rings(instance);
}

}  // namespace

uint64_t instance_bytes(const Image& image) noexcept {
    Instance counted;
    return lay_out(image, nullptr, counted);
}

Instance* start(const Image& image, void* memory) noexcept {
    auto* instance = static_cast<Instance*>(memory);
#if defined(__SANITIZE_ADDRESS__)
    __asan_unpoison_memory_region(memory, instance_bytes(image));
#endif
    lay_out(image, static_cast<unsigned char*>(memory), *instance);
    instance->at = 0;
    make_operands(*instance);
    make_steps(*instance);
    clear_bytes(instance->scratch, rounded_up(image.scratch_bytes, 4));  // so that its pages are there
    reset(*instance);
    return instance;
}

void reset(Instance& instance) noexcept {
    const Facts& facts = *instance.image->facts;
    clear_bytes(instance.states, rounded_up(facts.state_bytes + kSlack, 4));
    clear_bytes(instance.arena, rounded_up(facts.arena_bytes + kSlack, 4));
    fill_states(instance);
    place_all(instance);
    fit_length(instance, instance.at);
}

void copy_state(Instance& to, const Instance& from) noexcept {
    copy_bytes(to.states, from.states, rounded_up(from.image->facts->state_bytes, 4));
    for (int32_t ring = 0; ring < from.image->facts->rings; ++ring) to.rings[ring].place = from.rings[ring].place;
    place_all(to);
}

bool takes(const Image& image, int64_t samples) noexcept { return cut(samples, image.lengths).count > 0; }

bool process(Instance& instance, const Passage& passage) noexcept {
    const Lengths& lengths = instance.image->lengths;
    Pieces pieces = cut(passage.samples, lengths);
    if (pieces.count == 0) return passage.samples == 0;
    for (int64_t from = 0; pieces.count > 0; from += lengths.new_samples(instance.at)) {
        const int64_t at = pieces.next(lengths);
        if (at != instance.at) fit_length(instance, at);
        play_block(instance, passage, from);
    }
    return true;
}

}  // namespace neutone_like::compiled
