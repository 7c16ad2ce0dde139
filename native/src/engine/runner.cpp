#include "engine/runner.hpp"

#include <algorithm>
#include <utility>

#include "engine/realtime_thread.hpp"
#include "signal/channels.hpp"

namespace neutone_like {

Runner::Runner(InstancePtr instance, const SessionConfig& config, int longest_block)
    : config_(config), longest_block_(longest_block), instance_(std::move(instance)) {
    std::vector<const char*> names;
    for (const ParameterSpec& parameter : config.parameters) names.push_back(parameter.name.c_str());
    nl_setup setup{};
    setup.sample_rate = config.embedded ? config.sample_rate : config.model_rate;
    setup.longest_block = longest_block;
    setup.fixed_block = (config.embedded ? !config.varying_blocks : config.model_block > 0) ? 1 : 0;
    setup.in_channels = config.embedded ? config.channels : config.in_channels;
    setup.out_channels = config.embedded ? output_channels(config) : config.out_channels;
    setup.look_behind = config.look_behind;
    setup.parameter_count = static_cast<int32_t>(names.size());
    setup.parameter_names = names.data();
    const nl_facts facts = instance_->prepare(setup);
    delay_ = facts.delay_samples;
    for (int index = 0; index < facts.state_count; ++index) {
        const nl_state_spec& spec = facts.states[index];
        State state;
        state.initial.assign(static_cast<size_t>(spec.elements), 0.0f);
        if (spec.initial != nullptr) std::copy_n(spec.initial, spec.elements, state.initial.begin());
        state.now = state.next = state.initial;
        states_.push_back(std::move(state));
    }
    states_in_.resize(states_.size());
    states_out_.resize(states_.size());
}

RunResult Runner::run(ModelBlock& block, char* message, size_t size) noexcept {
    for (size_t index = 0; index < states_.size(); ++index) {
        states_in_[index] = states_[index].now.data();
        states_out_[index] = states_[index].next.data();
    }
    nl_block call{};
    call.samples = block.samples;
    call.audio_in = block.input.data();
    call.audio_out = block.output.data();
    call.parameters = block.value_rows.data();
    call.parameter_lengths = block.value_counts.data();
    call.states_in = states_in_.data();
    call.states_out = states_out_.data();

    RunResult result;
    const uint64_t start = now_ns();
    result.status = instance_->process(call, message, size);
    result.nanoseconds = now_ns() - start;

    const int channels = config_.embedded ? output_channels(config_) : config_.out_channels;
    const auto count = static_cast<int64_t>(channels) * block.samples;
    if (result.status == NL_OK) result.nonfinite_samples = nonfinite_samples(block, channels);
    if (result.status == NL_OK && result.nonfinite_samples == 0) {
        for (State& state : states_) state.now.swap(state.next);
        return result;
    }
    std::fill_n(block.output.begin(), count, 0.0f);
    if (!reset_quietly() && result.status == NL_OK) result.status = NL_ERROR;
    return result;
}

bool Runner::reset_quietly() noexcept {
    try {
        reset();
        return true;
    } catch (const std::exception&) {
        return false;  // the caller counts a failed block
    }
}

void Runner::reset() {
    reset_states();
    instance_->reset();
}

void Runner::reset_states() noexcept {
    for (State& state : states_) state.now = state.initial;
}

std::unique_ptr<Runner> Runner::clone() const {
    InstancePtr copy = instance_->clone();
    return copy == nullptr ? nullptr : std::make_unique<Runner>(std::move(copy), config_, longest_block_);
}

}  // namespace neutone_like
