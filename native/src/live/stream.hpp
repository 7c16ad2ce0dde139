// A sound card, opened through PortAudio with a callback that never leaves C++.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "live/player.hpp"
#include "live/portaudio.hpp"

namespace neutone_like {

struct LiveDevice {
    int index = 0;
    std::string name;
    std::string host_api;  // "JACK Audio Connection Kit", "ALSA", "Core Audio"
    int max_input_channels = 0;
    int max_output_channels = 0;
    double default_sample_rate = 0.0;  // Hz
    bool is_default_input = false;
    bool is_default_output = false;
};

// What there was when the library was first used. Throws EngineError.
std::vector<LiveDevice> list_devices(const std::string& library);

struct LivePlan {
    std::string library;  // PortAudio's
    int input_device = -1;
    int output_device = -1;
    std::vector<int> inputs;  // channels of the device, counted from 0
    std::vector<int> outputs;
    int sample_rate = 48000;       // Hz
    int block_size = 0;            // samples; 0: as the device likes it
    double latency_seconds = 0.0;  // to suggest; 0: the device's own lowest
    double input_tape_seconds = 0.0;
    double output_tape_seconds = 0.0;
    int output_tape_channels = 0;
    std::vector<float> loop_back;        // a sound to send out once
    int64_t loop_back_samples = 0;       // how much to listen meanwhile
    double close_limit_seconds = 3.0;    // a device that does not close by then is given up
    double silence_limit_seconds = 0.5;  // or one that does not call for so long, or for 20 blocks
};

class LiveStream {
public:
    // Opens the device. Throws EngineError.
    explicit LiveStream(const LivePlan& plan);
    ~LiveStream();
    LiveStream(const LiveStream&) = delete;
    LiveStream& operator=(const LiveStream&) = delete;

    void start();
    // The session is this device's from here on. Throws EngineError where another one has it.
    void attach(std::shared_ptr<Session> session);

    // Whether the device is gone: it has stopped calling. Nothing of it can be used then, not even closed. To be asked
    // at least every second or so by one thread.
    bool look_lost() noexcept;
    bool is_lost() const noexcept { return lost_; }

    // Twice does nothing. A device that is lost is left alone.
    void close() noexcept;
    bool is_closed() const noexcept { return stream_ == nullptr; }

    LivePlayer& player() noexcept { return *player_; }
    double input_latency_seconds() const noexcept { return input_latency_; }
    double output_latency_seconds() const noexcept { return output_latency_; }
    double sample_rate() const noexcept { return sample_rate_; }

private:
    void give_up() noexcept;

    const LivePlan plan_;
    const portaudio::Library& library_;
    std::shared_ptr<LivePlayer> player_;
    portaudio::Stream* stream_ = nullptr;
    std::shared_ptr<Session> session_;
    bool started_ = false;
    bool lost_ = false;
    double input_latency_ = 0.0;
    double output_latency_ = 0.0;
    double sample_rate_ = 0.0;
    uint64_t seen_callback_ns_ = 0;
    uint64_t seen_at_ns_ = 0;
    int looks_ = 0;  // without a callback in between
};

}  // namespace neutone_like
