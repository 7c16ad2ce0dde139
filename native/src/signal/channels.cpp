#include "signal/channels.hpp"

#include <cstring>

namespace neutone_like {

void AudioBuffer::prepare(int channels, int64_t samples) {
    memory_.assign(static_cast<size_t>(channels) * static_cast<size_t>(samples), 0.0f);
    rows_.clear();
    for (int channel = 0; channel < channels; ++channel) rows_.push_back(memory_.data() + channel * samples);
}

float* const* convert_channels(float* const* rows, int given, int wanted, AudioBuffer& memory, int samples) noexcept {
    if (given == wanted) return rows;
    if (given == 1) {
        for (int channel = 0; channel < wanted; ++channel) {
            std::memcpy(memory.channel(channel), rows[0], samples * sizeof(float));
        }
    } else {
        for (int i = 0; i < samples; ++i) memory.channel(0)[i] = (rows[0][i] + rows[1][i]) / 2.0f;
    }
    return memory.rows();
}

int output_channels(const SessionConfig& config) noexcept {
    const bool converts = config.in_channels <= 2 && config.out_channels <= 2;
    return converts ? config.channels : config.out_channels;
}

}  // namespace neutone_like
