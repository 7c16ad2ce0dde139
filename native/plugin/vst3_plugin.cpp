// VST3: the life of a plugin, its buses, its audio cut at the samples of parameter changes, and its state.
#include "vst3_plugin.hpp"

#include <algorithm>
#include <limits>

#include "vst3_text.hpp"

namespace neutone_like::plugin::vst3 {

namespace {

constexpr size_t kLongestState = 1u << 20;
constexpr int kNoChange = std::numeric_limits<int>::max();
// By the number of channels, what hosts know: three in front, quadro, 5.0, 5.1, 6.1 and 7.1. Only the count matters here.
constexpr uint64_t kArrangements[kMostChannels + 1] = {0, kMono, kStereo, 0x7, 0x33, 0x37, 0x3F, 0x13F, 0x63F};

int channels_of(uint64_t arrangement) {
    int channels = 0;
    for (; arrangement != 0; arrangement &= arrangement - 1) ++channels;
    return channels;
}

void rows_of(const BusBuffers* buses, int32_t count, int wanted, int from, float** rows) noexcept {
    const bool is_there = buses != nullptr && count > 0 && buses[0].rows != nullptr;
    for (int channel = 0; channel < wanted; ++channel) {
        float* row = is_there && channel < buses[0].channels ? buses[0].rows[channel] : nullptr;
        rows[channel] = row == nullptr ? nullptr : row + from;
    }
}

}  // namespace

Result Vst3Plugin::queryInterface(const char* id, void** object) {
    *object = nullptr;
    if (kUnknownId.is(id) || kBaseId.is(id) || kComponentId.is(id)) *object = static_cast<Component*>(this);
    if (kAudioProcessorId.is(id)) *object = static_cast<AudioProcessor*>(this);
    if (kEditControllerId.is(id)) *object = static_cast<EditController*>(this);
    if (*object == nullptr) return kNoInterface;
    addRef();
    return kOk;
}

uint32_t Vst3Plugin::release() {
    const uint32_t left = --references_;
    if (left == 0) delete this;
    return left;
}

Result Vst3Plugin::initialize(Unknown*) { return kOk; }

Result Vst3Plugin::terminate() { return setComponentHandler(nullptr); }

Result Vst3Plugin::getControllerClassId(char*) { return kFalse; }

Result Vst3Plugin::setIoMode(int32_t) { return kOk; }

int32_t Vst3Plugin::getBusCount(int32_t media, int32_t) { return media == kAudio ? 1 : 0; }

Result Vst3Plugin::getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo* info) {
    if (media != kAudio || index != 0 || info == nullptr) return kInvalid;
    *info = {};
    info->media = kAudio;
    info->direction = direction;
    info->channels = direction == kInput ? layout_.inputs : layout_.outputs;
    write_utf16(direction == kInput ? "Input" : "Output", info->name);
    info->flags = kDefaultActive;
    return kOk;
}

Result Vst3Plugin::getRoutingInfo(void*, void*) { return kNotImplemented; }

Result Vst3Plugin::activateBus(int32_t media, int32_t, int32_t index, uint8_t) {
    return media == kAudio && index == 0 ? kOk : kInvalid;
}

Result Vst3Plugin::setActive(uint8_t state) {
    if (state != 0) plugin_.reset();
    return kOk;
}

Result Vst3Plugin::setBusArrangements(uint64_t* inputs, int32_t input_count, uint64_t* outputs, int32_t output_count) {
    if (input_count != 1 || output_count != 1 || inputs == nullptr || outputs == nullptr) return kFalse;
    const Layout wanted = {channels_of(inputs[0]), channels_of(outputs[0])};
    const std::vector<Layout>& layouts = content().layouts;
    if (std::find(layouts.begin(), layouts.end(), wanted) == layouts.end()) return kFalse;
    layout_ = wanted;
    if (setup_.longest_block > 0) prepare();
    return kOk;
}

Result Vst3Plugin::getBusArrangement(int32_t direction, int32_t index, uint64_t* arrangement) {
    if (index != 0 || arrangement == nullptr) return kInvalid;
    *arrangement = kArrangements[direction == kInput ? layout_.inputs : layout_.outputs];
    return kOk;
}

Result Vst3Plugin::canProcessSampleSize(int32_t size) { return size == kFloat32 ? kOk : kFalse; }

uint32_t Vst3Plugin::getLatencySamples() {
    told_latency_ = static_cast<uint32_t>(plugin_.latency_samples());
    return told_latency_;
}

Result Vst3Plugin::setupProcessing(Setup* setup) {
    if (setup == nullptr || setup->sample_size != kFloat32 ||
        !(setup->sample_rate >= 1.0 && setup->sample_rate <= 1e6)) {
        return kFalse;
    }
    setup_ = *setup;
    setup_.longest_block = std::max(setup_.longest_block, 1);
    prepare();
    return kOk;
}

// Some hosts ask for the latency once they have set up the processing, some when they hear that it has changed.
void Vst3Plugin::prepare() {
    plugin_.prepare(setup_.sample_rate, setup_.longest_block, layout_);
    tell(0);
}

// These, and a latency that the host doesn't know yet.
void Vst3Plugin::tell(int32_t changes) {
    const auto latency = static_cast<uint32_t>(plugin_.latency_samples());
    if (handler_ == nullptr) return;
    if (latency != told_latency_) changes |= kLatencyChanged;
    told_latency_ = latency;  // first: a host may set up the processing again before this call returns
    if (changes != 0) handler_->restartComponent(changes);
}

Result Vst3Plugin::setProcessing(uint8_t) { return kOk; }

uint32_t Vst3Plugin::getTailSamples() {
    return static_cast<uint32_t>(std::min<int64_t>(plugin_.tail_samples(), kEndlessTail));
}

Result Vst3Plugin::process(ProcessData* data) {
    if (data == nullptr) return kInvalid;
    int at = 0;
    int next = take_changes(data->input_changes, -1);
    while (next < data->samples) {
        play(*data, at, std::max(next, at));
        at = std::max(next, at);
        next = take_changes(data->input_changes, next);
    }
    play(*data, at, data->samples);
    while (next != kNoChange)
        next = take_changes(data->input_changes, next);  // what is due after the block, or without one
    for (int32_t bus = 0; bus < data->output_count && data->outputs != nullptr; ++bus) data->outputs[bus].silence = 0;
    return kOk;
}

// Sets what changes at sample `from`, and says at which sample something changes next.
int Vst3Plugin::take_changes(ParameterChanges* changes, int from) noexcept {
    int next = kNoChange;
    const int32_t count = changes == nullptr ? 0 : changes->getParameterCount();
    for (int32_t index = 0; index < count; ++index) {
        ValueQueue* queue = changes->getParameterData(index);
        if (queue == nullptr) continue;
        const size_t knob = content().find(queue->getParameterId());
        const int32_t points = knob < content().knobs.size() ? queue->getPointCount() : 0;
        for (int32_t point = 0; point < points; ++point) {
            int32_t sample = 0;
            double value = 0.0;
            if (queue->getPoint(point, &sample, &value) != kOk) continue;
            sample = std::max(sample, 0);
            if (sample == from) plugin_.set(knob, content().knobs[knob].from_0to1(value));
            if (sample > from) next = std::min(next, static_cast<int>(sample));
        }
    }
    return next;
}

void Vst3Plugin::play(const ProcessData& data, int from, int to) noexcept {
    if (from >= to) return;
    float* in[kMostChannels] = {};
    float* out[kMostChannels] = {};
    rows_of(data.inputs, data.input_count, layout_.inputs, from, in);
    rows_of(data.outputs, data.output_count, layout_.outputs, from, out);
    plugin_.process(in, out, to - from);
}

Result Vst3Plugin::setState(Stream* stream) {
    if (stream == nullptr) return kInvalid;
    std::string state;
    char part[4096];
    int32_t got = 0;
    while (stream->read(part, sizeof part, &got) == kOk && got > 0 && state.size() <= kLongestState) {
        state.append(part, static_cast<size_t>(got));
        got = 0;
    }
    if (!plugin_.load(state)) return kFalse;
    // Hosts that load a preset read the knobs again when they are told to.
    tell(content().is_player() ? kParametersChanged | kTitlesChanged : kParametersChanged);
    return kOk;
}

Result Vst3Plugin::getState(Stream* stream) {
    if (stream == nullptr) return kInvalid;
    std::string state = plugin_.state();
    for (size_t at = 0; at < state.size();) {
        int32_t written = 0;
        const auto wanted = static_cast<int32_t>(state.size() - at);
        if (stream->write(state.data() + at, wanted, &written) != kOk || written <= 0) return kFalse;
        at += static_cast<size_t>(written);
    }
    return kOk;
}

}  // namespace neutone_like::plugin::vst3
