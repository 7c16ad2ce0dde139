#include "compiled/compiled_stream.hpp"

#include <algorithm>
#include <utility>

#include "signal/channels.hpp"
#include "signal/flush_denormals.hpp"

namespace neutone_like {

namespace {

nl_setup setup_of(const SessionConfig& config, int longest_block) {
    nl_setup setup{};
    setup.sample_rate = config.model_rate;
    setup.longest_block = longest_block;
    setup.fixed_block = config.model_block > 0 ? 1 : 0;
    setup.in_channels = config.in_channels;
    setup.out_channels = config.out_channels;
    setup.look_behind = config.look_behind;
    setup.parameter_count = static_cast<int32_t>(config.parameters.size());
    return setup;
}

CompiledPlayer checked(CompiledPlayer player, const SessionConfig& config) {
    check_config(config);
    player.prepare(setup_of(config, StreamPlan::make(config, 0).longest_block));
    return player;
}

}  // namespace

CompiledStream::CompiledStream(std::shared_ptr<const CompiledModel> model, const SessionConfig& config)
    : config_(config),
      player_(checked(CompiledPlayer(std::move(model)), config)),
      plan_(StreamPlan::make(config, player_.delay_samples())),
      output_channels_(neutone_like::output_channels(config)) {
    const int64_t host_block = config.block_size;
    const int64_t model_share = (plan_.longest_block + 1) * plan_.down / plan_.up + 1;
    front_.prepare(config, plan_);
    back_.prepare(config, plan_, player_.delay_samples(), output_channels_);
    block_.prepare(config, plan_.longest_block, static_cast<int>(config.parameters.size()));
    input_.prepare(config.channels, host_block);
    packets_.prepare(2, static_cast<int>(config.parameters.size()));
    output_.prepare(output_channels_, 2 * plan_.latency_varying + 4 * host_block + 3 * model_share);
    reset();
}

void CompiledStream::reset() noexcept {
    player_.reset();
    front_.reset();
    packets_.clear();
    published_ = back_.start(output_);
    varying_ = config_.varying_blocks;
    pushed_ = read_ = silence_ = 0;
}

void CompiledStream::process(const float* const* in, float* const* out, int samples, const float* values) noexcept {
    if (samples == 0) return;
    const FlushDenormals flush;
    push(in, samples, values);
    play_blocks();
    deliver(out, samples);
}

void CompiledStream::push(const float* const* in, int samples, const float* values) noexcept {
    if (samples != config_.block_size && !varying_) {  // from here on there is room for any size: silence goes in once
        varying_ = true;
        silence_ += plan_.latency_varying - plan_.latency;
    }
    input_.write(pushed_, in, 0, samples);
    std::copy_n(values, config_.parameters.size(), packets_.next_values());
    packets_.push(Packet{samples, 0}, 0);
    pushed_ += samples;
}

void CompiledStream::play_blocks() noexcept {
    while (front_.next(packets_, input_, block_)) {
        run(block_);
        published_ += back_.push(block_, output_, published_);
    }
    nonfinite_input_ += front_.take_nonfinite_count();
}

// What holds NaN or Inf becomes silence, and the model starts afresh instead of staying poisoned.
void CompiledStream::run(ModelBlock& block) noexcept {
    nl_block call{};
    call.samples = block.samples;
    call.audio_in = block.input.data();
    call.audio_out = block.output.data();
    call.parameters = block.value_rows.data();
    call.parameter_lengths = block.value_counts.data();
    const int broken =
        player_.process(call) ? neutone_like::nonfinite_samples(block, config_.out_channels) : block.samples;
    if (broken == 0) return;
    nonfinite_ += static_cast<uint64_t>(broken);
    std::fill_n(block.output.begin(), static_cast<int64_t>(config_.out_channels) * block.samples, 0.0f);
    player_.reset();
    front_.forget_past();
}

void CompiledStream::deliver(float* const* out, int samples) noexcept {
    const auto silent = static_cast<int>(std::min<int64_t>(silence_, samples));
    silence_ -= silent;
    for (int channel = 0; channel < output_channels_; ++channel) std::fill_n(out[channel], silent, 0.0f);
    output_.read(read_, out, silent, samples - silent);
    read_ += samples - silent;
}

}  // namespace neutone_like
