#include "signal/back.hpp"

#include <algorithm>

namespace neutone_like {

void StreamBack::prepare(const SessionConfig& config, const StreamPlan& plan, int64_t delay, int host_channels) {
    plan_ = plan;
    channels_ = config.embedded ? host_channels : config.out_channels;
    host_channels_ = host_channels;
    rows_.assign(channels_, nullptr);
    int64_t most = plan.longest_block;
    if (plan.resampling) {
        first_end_ = first_output_end(plan.up, plan.down, config.filter_in.half_width, config.filter_out.half_width,
                                      delay, plan.latency);
        fir_.prepare(config.filter_out, channels_, plan.longest_block);
        // Before the first block there may be more, the whole latency's worth.
        most = std::max<int64_t>(fir_.most_outputs(), plan.latency + 2);
        most += fir_.most_outputs();
        resampled_.prepare(channels_, most);
    }
    converted_.prepare(host_channels_, most);
}

int64_t StreamBack::start(AudioRing& output) noexcept {
    if (!plan_.resampling) {
        output.write_silence(0, plan_.lead);
        return plan_.lead;
    }
    fir_.start(first_end_);
    const int samples = fir_.push(nullptr, 0, resampled_.rows());
    return write(resampled_.rows(), samples, output, 0);
}

int64_t StreamBack::push(const ModelBlock& block, AudioRing& output, int64_t position) noexcept {
    for (int channel = 0; channel < channels_; ++channel) {
        rows_[channel] = const_cast<float*>(block.output.data()) + static_cast<int64_t>(channel) * block.samples;
    }
    if (!plan_.resampling) return write(rows_.data(), block.samples, output, position);
    const int samples = fir_.push(rows_.data(), block.samples, resampled_.rows());
    return write(resampled_.rows(), samples, output, position);
}

int64_t StreamBack::write(float* const* rows, int samples, AudioRing& output, int64_t position) noexcept {
    output.write(position, convert_channels(rows, channels_, host_channels_, converted_, samples), 0, samples);
    return samples;
}

}  // namespace neutone_like
