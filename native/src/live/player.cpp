#include "live/player.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/realtime_thread.hpp"
#include "live/portaudio.hpp"

namespace neutone_like {

namespace {

void add(std::atomic<uint64_t>& counter, uint64_t more) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

void raise_peak(std::atomic<float>& peak, const float* row, int samples) noexcept {
    float highest = 0.0f;
    for (int i = 0; i < samples; ++i) highest = std::max(highest, std::fabs(row[i]));
    if (highest > peak.load(std::memory_order_relaxed)) peak.store(highest, std::memory_order_relaxed);
}

}  // namespace

// The session, and the rows that it is called with.
struct LivePlayer::Attached {
    Attached(std::shared_ptr<Session> opened, size_t inputs)
        : session(std::move(opened)), in(session->config().channels), out_rows(session->output_channels()) {
        const int block = session->config().block_size;
        silence.prepare(1, block);
        out.prepare(session->output_channels(), block);
        recorded.resize(std::max<size_t>(inputs, 1));
    }

    const std::shared_ptr<Session> session;
    std::vector<const float*> in;
    std::vector<const float*> recorded;  // one row for each channel of the device
    std::vector<const float*> out_rows;
    AudioBuffer silence;
    AudioBuffer out;
};

LivePlayer::LivePlayer(int sample_rate, std::vector<int> inputs, std::vector<int> outputs)
    : rate_(sample_rate), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}

LivePlayer::~LivePlayer() = default;

void LivePlayer::keep(double input_seconds, double output_seconds, int output_channels) {
    const auto samples = [this](double seconds) { return static_cast<int64_t>(seconds * rate_); };
    if (input_seconds > 0.0) input_tape_.prepare(static_cast<int>(inputs_.size()), samples(input_seconds));
    if (output_seconds > 0.0) output_tape_.prepare(output_channels, samples(output_seconds));
}

void LivePlayer::measure(std::vector<float> sound, int64_t heard_samples) {
    loop_back_.sound = std::move(sound);
    loop_back_.heard.assign(static_cast<size_t>(heard_samples), 0.0f);
}

void LivePlayer::attach(std::shared_ptr<Session> session) {
    session_ = std::move(session);
    attached_ = std::make_unique<Attached>(session_, inputs_.size());
    playing_.store(attached_.get(), std::memory_order_release);
}

void LivePlayer::play(const float* const* in, float* const* out, unsigned long frames, unsigned long flags) noexcept {
    if (playing_.load(std::memory_order_acquire) != nullptr && !thread_started_) {  // may do what a callback may not
        thread_started_ = true;
        session_->thread_started();
    }
    neutone_like_enter_realtime(&marks_);
    play_block(in, out, static_cast<int>(frames), flags);
    neutone_like_leave_realtime(&marks_);
}

void LivePlayer::play_block(const float* const* in, float* const* out, int samples, unsigned long flags) noexcept {
    const uint64_t begin = now_ns();
    count(samples, flags);
    if (out != nullptr) {
        const int open = outputs_.empty() ? 0 : *std::max_element(outputs_.begin(), outputs_.end()) + 1;
        for (int channel = 0; channel < open; ++channel) std::fill_n(out[channel], samples, 0.0f);
    }
    if (!abandoned_.load(std::memory_order_relaxed)) {
        play_session(in, out, samples);
        play_loop_back(in, out, samples);
    }
    const uint64_t end = now_ns();
    add(counts_.busy_ns, end - begin);
    callback_time_.add(end - begin);
    if (static_cast<double>(end - begin) * rate_ > 1e9 * samples) add(counts_.overloads, 1);
    last_callback_ns_.store(end, std::memory_order_relaxed);
}

void LivePlayer::count(int frames, unsigned long flags) noexcept {
    using namespace portaudio;
    add(counts_.callbacks, 1);
    add(counts_.samples, static_cast<uint64_t>(frames));
    if (flags & (kInputUnderflow | kInputOverflow | kOutputUnderflow | kOutputOverflow)) add(counts_.device_xruns, 1);
    if (flags & kInputUnderflow) add(counts_.input_underflows, 1);
    if (flags & kInputOverflow) add(counts_.input_overflows, 1);
    if (flags & kOutputUnderflow) add(counts_.output_underflows, 1);
    if (flags & kOutputOverflow) add(counts_.output_overflows, 1);
    const int smallest = counts_.smallest_block.load(std::memory_order_relaxed);
    if (smallest == 0 || frames < smallest) counts_.smallest_block.store(frames, std::memory_order_relaxed);
    if (frames > counts_.largest_block.load(std::memory_order_relaxed)) {
        counts_.largest_block.store(frames, std::memory_order_relaxed);
    }
}

// The device's blocks are what they are: longer ones are cut into those that the session was promised.
void LivePlayer::play_session(const float* const* in, float* const* out, int frames) noexcept {
    Attached* attached = playing_.load(std::memory_order_acquire);
    if (attached == nullptr || out == nullptr) return;
    const int block = attached->session->config().block_size;
    for (int offset = 0; offset < frames; offset += block) {
        play_piece(*attached, in, out, offset, std::min(block, frames - offset));
    }
    add(counts_.session_samples, static_cast<uint64_t>(frames));
}

void LivePlayer::play_piece(Attached& attached, const float* const* in, float* const* out, int offset,
                            int samples) noexcept {
    const auto row = [&](size_t input) -> const float* {
        return in == nullptr || inputs_.empty() ? attached.silence.channel(0) : in[inputs_[input]] + offset;
    };
    for (size_t input = 0; input < attached.recorded.size(); ++input) attached.recorded[input] = row(input);
    for (size_t channel = 0; channel < attached.in.size(); ++channel) {  // a mono input feeds every channel
        attached.in[channel] = attached.recorded[std::min(channel, attached.recorded.size() - 1)];
    }
    for (const float* recorded : attached.recorded) raise_peak(input_peak_, recorded, samples);
    input_tape_.write(attached.recorded.data(), samples);
    if (attached.session->process_on_device(attached.in.data(), attached.out.rows(), samples) != ProcessResult::ok) {
        for (int channel = 0; channel < attached.out.channels(); ++channel) {
            std::fill_n(attached.out.channel(channel), samples, 0.0f);
        }
        add(counts_.silent_samples, static_cast<uint64_t>(samples));
    }
    for (size_t channel = 0; channel < attached.out_rows.size(); ++channel) {
        attached.out_rows[channel] = attached.out.channel(static_cast<int>(channel));
        raise_peak(output_peak_, attached.out_rows[channel], samples);
    }
    output_tape_.write(attached.out_rows.data(), samples);
    for (size_t channel = 0; channel < std::min(outputs_.size(), attached.out_rows.size()); ++channel) {
        std::copy_n(attached.out_rows[channel], samples, out[outputs_[channel]] + offset);
    }
}

void LivePlayer::play_loop_back(const float* const* in, float* const* out, int frames) noexcept {
    LoopBack& test = loop_back_;
    const auto length = static_cast<int64_t>(test.heard.size());
    const int64_t at = test.position.load(std::memory_order_relaxed);
    if (at >= length || in == nullptr || out == nullptr) return;
    const auto samples = static_cast<int>(std::min<int64_t>(frames, length - at));
    std::copy_n(in[inputs_.front()], samples, test.heard.data() + at);
    const int64_t left = std::max<int64_t>(static_cast<int64_t>(test.sound.size()) - at, 0);
    for (const int output : outputs_) {
        std::copy_n(test.sound.data() + at, std::min<int64_t>(samples, left), out[output]);
    }
    test.position.store(at + samples, std::memory_order_release);
}

}  // namespace neutone_like
