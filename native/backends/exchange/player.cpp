#include "player.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "exchange_error.hpp"

namespace neutone_like::exchange {

namespace {

void expect(const Sidecar& sidecar, const char* what, int64_t has, int64_t asked) {
    if (has == asked) return;
    throw ExchangeError(sidecar.path + " has " + std::to_string(has) + " " + what + ", and is asked to play with " +
                        std::to_string(asked) + ".");
}

std::vector<size_t> order_of(const Sidecar& sidecar, const nl_setup& setup) {
    const char* const* first = setup.parameter_names;
    const char* const* last = first + setup.parameter_count;
    std::vector<size_t> order;
    for (const Parameter& parameter : sidecar.parameters) {
        const auto* found = std::find_if(first, last, [&](const char* name) { return parameter.name == name; });
        if (found == last)
            throw ExchangeError("Nobody sets the parameter \"" + parameter.name + "\" of " + sidecar.path);
        order.push_back(static_cast<size_t>(found - first));
    }
    return order;
}

}  // namespace

Player::Player(std::shared_ptr<Network> network) : network_(std::move(network)) {}

Player::Player(const Player& other) : network_(other.network_), order_(other.order_) {
    if (other.buffers_ == nullptr) return;
    connect(other.buffers_->longest_samples);
    write_states(other.present_states(), buffers_->states[0]);
}

int Player::prepare(const nl_setup& setup) {
    refuse_unfit(setup);
    order_ = order_of(network_->sidecar(), setup);
    connect(setup.longest_block);
    return network_->sidecar().delay_samples;
}

void Player::refuse_unfit(const nl_setup& setup) const {
    const Sidecar& sidecar = network_->sidecar();
    if (sidecar.sample_rate) expect(sidecar, "Hz", *sidecar.sample_rate, setup.sample_rate);
    expect(sidecar, "input channels", sidecar.in_channels, setup.in_channels);
    expect(sidecar, "output channels", sidecar.out_channels, setup.out_channels);
    expect(sidecar, "samples of look-behind", sidecar.look_behind, setup.look_behind);
    expect(sidecar, "parameters", static_cast<int64_t>(sidecar.parameters.size()), setup.parameter_count);
    if (!sidecar.block_samples) return;
    expect(sidecar, "samples in every block", *sidecar.block_samples, setup.longest_block);
    if (setup.fixed_block == 0) throw ExchangeError(sidecar.path + " takes no block but one of its own length.");
}

void Player::connect(int longest_samples) {
    call_.reset();
    buffers_ = std::make_unique<Buffers>(network_->sidecar(), longest_samples);
    call_ = network_->connect(*buffers_);
    present_ = 0;
}

std::vector<std::vector<uint8_t>> Player::present_states() const {
    return read_states(buffers_->states[present_], network_->sidecar());
}

void Player::process(const nl_block& block) {
    if (block.samples == 0) return;  // libraries abort or forget their state on nothing
    const Sidecar& sidecar = network_->sidecar();
    if (block.samples < 0 || block.samples > buffers_->longest_samples) {
        throw ExchangeError("A block of " + std::to_string(block.samples) + " samples; prepared for at most " +
                            std::to_string(buffers_->longest_samples) + ".");
    }
    write_inputs(block);
    present_ = call_->run(block.samples, present_);
    const auto count = static_cast<size_t>(sidecar.out_channels) * static_cast<size_t>(block.samples);
    std::copy_n(buffers_->audio_out.floats(), count, block.audio_out);
}

void Player::write_inputs(const nl_block& block) {
    const Sidecar& sidecar = network_->sidecar();
    const auto samples = static_cast<size_t>(block.samples);
    const size_t with_past = samples + static_cast<size_t>(sidecar.look_behind);
    std::copy_n(block.audio_in, static_cast<size_t>(sidecar.in_channels) * with_past, buffers_->audio_in.floats());
    for (size_t index = 0; index < order_.size(); ++index) {
        const float* values = block.parameters[order_[index]];
        const bool one_for_all = block.parameter_lengths[order_[index]] == 1;
        float* input = buffers_->parameters[index].floats();
        if (!sidecar.parameters[index].per_sample) {
            *input = *values;
        } else if (one_for_all) {
            std::fill_n(input, samples, *values);
        } else {
            std::copy_n(values, samples, input);
        }
    }
}

void Player::reset() {
    if (buffers_ == nullptr) return;
    present_ = 0;
    write_states(initial_states(network_->sidecar()), buffers_->states[0]);
}

}  // namespace neutone_like::exchange
