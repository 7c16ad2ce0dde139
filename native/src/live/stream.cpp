#include "live/stream.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

using portaudio::Library;

namespace {

int callback(const void* input, void* output, unsigned long frames, const portaudio::CallbackTimes*,
             unsigned long flags, void* user) noexcept {
    static_cast<LivePlayer*>(user)->play(static_cast<const float* const*>(input), static_cast<float* const*>(output),
                                         frames, flags);
    return 0;  // go on
}

int channels_for(const std::vector<int>& used) {
    return used.empty() ? 0 : *std::max_element(used.begin(), used.end()) + 1;
}

std::string name_of(const Library& library, int device) {
    const portaudio::DeviceInfo* info = device < 0 ? nullptr : library.device(device);
    return info == nullptr || info->name == nullptr ? "device " + std::to_string(device) : info->name;
}

std::string advice(const Library& library, const LivePlan& plan, int error) {
    const int device = plan.output_device >= 0 ? plan.output_device : plan.input_device;
    const portaudio::DeviceInfo* info = library.device(device);
    switch (error) {
        case portaudio::kInvalidSampleRate:
            return "It does not play at " + std::to_string(plan.sample_rate) + " Hz; its own rate is " +
                   std::to_string(info == nullptr ? 0 : static_cast<int>(info->default_sample_rate)) +
                   " Hz. Use that: the model is converted to whatever rate the device has.";
        case portaudio::kInvalidChannelCount:
            return "It does not have " + std::to_string(channels_for(plan.inputs)) + " inputs and " +
                   std::to_string(channels_for(plan.outputs)) + " outputs. Choose others of its channels.";
        case portaudio::kInsufficientMemory:
            return "With JACK or PipeWire this means that the sound server is gone. Start it again, and then this.";
        case portaudio::kDeviceUnavailable:
            return "Another program has it. End that one, or play through a sound server.";
        default: return "Try another device (--list-devices), rate or block size.";
    }
}

[[noreturn]] void refuse(const Library& library, const LivePlan& plan, int error) {
    std::string names = name_of(library, plan.output_device);
    if (plan.input_device >= 0 && plan.input_device != plan.output_device) {
        names = name_of(library, plan.input_device) + " with " + names;
    }
    throw EngineError("The device " + names + " can't be opened: " + library.words(error) + ". " +
                      advice(library, plan, error));
}

portaudio::StreamParameters parameters(const Library& library, int device, const std::vector<int>& used,
                                       double latency_seconds, bool is_input) {
    const portaudio::DeviceInfo* info = library.device(device);
    if (info == nullptr) throw EngineError("There is no device " + std::to_string(device) + ".");
    const double lowest = is_input ? info->default_low_input_latency : info->default_low_output_latency;
    return {device, channels_for(used), portaudio::kFloat32 | portaudio::kNonInterleaved,
            latency_seconds > 0.0 ? latency_seconds : lowest, nullptr};
}

// What PortAudio does when a device is stopped may never end: on a thread of its own, which is left behind then.
bool closes_in_time(const Library& library, portaudio::Stream* stream, bool started, double limit_seconds) {
    struct Shared {
        std::mutex mutex;
        std::condition_variable ended;
        bool done = false;
    };
    const auto shared = std::make_shared<Shared>();
    std::thread([shared, &library, stream, started] {
        if (started) library.stop(stream);
        library.close(stream);
        const std::lock_guard<std::mutex> lock(shared->mutex);
        shared->done = true;
        shared->ended.notify_all();
    }).detach();
    std::unique_lock<std::mutex> lock(shared->mutex);
    return shared->ended.wait_for(lock, std::chrono::duration<double>(limit_seconds), [&] { return shared->done; });
}

}  // namespace

std::vector<LiveDevice> list_devices(const std::string& path) {
    const Library& library = Library::at(path);
    const int count = library.device_count();
    if (count < 0) throw EngineError("PortAudio can't list devices: " + library.words(count) + ".");
    std::vector<LiveDevice> devices;
    for (int index = 0; index < count; ++index) {
        const portaudio::DeviceInfo* info = library.device(index);
        if (info == nullptr) continue;
        const portaudio::HostApiInfo* api = library.host_api(info->host_api);
        devices.push_back({index, name_of(library, index), api == nullptr || api->name == nullptr ? "" : api->name,
                           info->max_input_channels, info->max_output_channels, info->default_sample_rate,
                           index == library.default_input(), index == library.default_output()});
    }
    return devices;
}

LiveStream::LiveStream(const LivePlan& plan)
    : plan_(plan),
      library_(Library::at(plan.library)),
      player_(std::make_shared<LivePlayer>(plan.sample_rate, plan.inputs, plan.outputs)) {
    player_->keep(plan.input_tape_seconds, plan.output_tape_seconds, plan.output_tape_channels);
    player_->measure(plan.loop_back, plan.loop_back_samples);
    portaudio::StreamParameters input{}, output{};
    const bool has_input = !plan.inputs.empty(), has_output = !plan.outputs.empty();
    if (has_input) input = parameters(library_, plan.input_device, plan.inputs, plan.latency_seconds, true);
    if (has_output) output = parameters(library_, plan.output_device, plan.outputs, plan.latency_seconds, false);
    const auto block = plan.block_size > 0 ? static_cast<unsigned long>(plan.block_size) : portaudio::kHostsBlock;
    const int error = library_.open(&stream_, has_input ? &input : nullptr, has_output ? &output : nullptr,
                                    plan.sample_rate, block, 0, callback, player_.get());
    if (error != 0) {
        stream_ = nullptr;
        refuse(library_, plan, error);
    }
    if (const portaudio::StreamInfo* info = library_.stream_info(stream_)) {
        input_latency_ = info->input_latency;
        output_latency_ = info->output_latency;
        sample_rate_ = info->sample_rate;
    }
}

LiveStream::~LiveStream() { close(); }

void LiveStream::start() {
    if (stream_ == nullptr || started_) throw EngineError("A device is started once, and before it is closed.");
    seen_at_ns_ = now_ns();
    const int error = library_.start(stream_);
    if (error != 0) refuse(library_, plan_, error);
    started_ = true;
}

void LiveStream::attach(std::shared_ptr<Session> session) {
    if (stream_ == nullptr || session_ != nullptr)
        throw EngineError("A device plays one session, before it is closed.");
    if (session->config().channels > 2 && static_cast<int>(plan_.inputs.size()) < session->config().channels) {
        throw EngineError("The model takes " + std::to_string(session->config().channels) + " channels, and " +
                          std::to_string(plan_.inputs.size()) + " of the device are chosen.");
    }
    if (!session->take_device()) {
        throw EngineError("A device plays this session already. Open another session for this one.");
    }
    session_ = std::move(session);
    player_->attach(session_);
}

bool LiveStream::look_lost() noexcept {
    if (lost_ || stream_ == nullptr || !started_) return lost_;
    const uint64_t now = now_ns();
    const uint64_t last = player_->last_callback_ns();
    if (last != seen_callback_ns_ || seen_at_ns_ == 0) {
        seen_callback_ns_ = last;
        seen_at_ns_ = now;
        looks_ = 0;
        return false;
    }
    ++looks_;  // so that a process which was stopped itself gives the device a moment
    const double blocks = 20.0 * player_->counts().largest_block / plan_.sample_rate;
    const double limit = std::max(plan_.silence_limit_seconds, blocks) * (last == 0 ? 10.0 : 1.0);  // a slow start
    if (looks_ >= 3 && static_cast<double>(now - seen_at_ns_) > 1e9 * limit) give_up();
    return lost_;
}

// Whatever PortAudio still has of it, and may call, lives on.
void LiveStream::give_up() noexcept {
    lost_ = true;
    player_->abandon();
    [[maybe_unused]] static auto& for_good = *new std::vector<std::shared_ptr<LivePlayer>>();
    static auto& mutex = *new std::mutex();
    const std::lock_guard<std::mutex> lock(mutex);
    for_good.push_back(player_);
}

void LiveStream::close() noexcept {
    if (stream_ == nullptr) return;
    portaudio::Stream* stream = std::exchange(stream_, nullptr);
    if (!lost_ && !closes_in_time(library_, stream, started_, plan_.close_limit_seconds)) give_up();
    if (session_ != nullptr) session_->leave_device();
}

}  // namespace neutone_like
