// LV2: three plugins in one bundle, for stereo, mono and mono to stereo, because a plugin's ports are fixed; one alone for a
// model of more channels.
//
// Ports, as neutone_like/plugin/lv2.py writes them into the bundle: inputs, outputs, the model's parameters in their own
// units, enabled (LV2's name for the reverse of bypass), and latency.
// The player has two ports more: messages from the host, and to it.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "exported.hpp"
#include "lv2_artifact.hpp"
#include "lv2_ports.hpp"
#include "plugin.hpp"

namespace neutone_like::plugin {

namespace {

constexpr int kLongestBlock = 8192;                                   // hosts needn't say; longer ones are cut
constexpr float kSlotDefault = 0.5f;                                  // as the bundle's description has it
constexpr const char* kEndings[] = {"", "#mono", "#mono-to-stereo"};  // as layouts_of has them

class Lv2Plugin {
public:
    Lv2Plugin(Layout layout, double sample_rate, lv2::Features features)
        : plugin_(content()), layout_(layout), artifact_(plugin_, features), positions_(kSlots, kSlotDefault) {
        // The bundle's description has as many ports even where the model is lost.
        const auto told = static_cast<size_t>(std::max(content().identity.parameters, 0));
        parameters_ = std::max(told, content().bypass());
        ports_.resize(static_cast<size_t>(layout.inputs + layout.outputs) + parameters_ + 4, nullptr);
        plugin_.prepare(sample_rate, kLongestBlock, layout);
    }

    void connect(uint32_t port, void* memory) noexcept {
        if (port < ports_.size()) ports_[port] = memory;
    }

    void reset() noexcept { plugin_.reset(); }

    void run(uint32_t samples) noexcept {
        const size_t first = static_cast<size_t>(layout_.inputs + layout_.outputs);
        for (size_t knob = 0; knob < content().bypass(); ++knob) take(knob, at(first + knob));
        if (const float* enabled = at(first + parameters_)) {
            plugin_.set(content().bypass(), *enabled > 0.0f ? 0.0 : 1.0);
        }
        if (content().is_player()) {
            artifact_.take(static_cast<const lv2::Sequence*>(ports_[first + parameters_ + 2]));
            artifact_.tell(static_cast<lv2::Sequence*>(ports_[first + parameters_ + 3]));
        }
        if (float* latency = at(first + parameters_ + 1)) *latency = static_cast<float>(plugin_.latency_samples());
        const float* in[kMostChannels] = {};
        float* out[kMostChannels] = {};
        for (int channel = 0; channel < layout_.inputs; ++channel) in[channel] = at(static_cast<size_t>(channel));
        for (int channel = 0; channel < layout_.outputs; ++channel) {
            out[channel] = at(static_cast<size_t>(layout_.inputs + channel));
        }
        plugin_.process(in, out, static_cast<int>(samples));
    }

    lv2::Ports ports() noexcept {
        const auto first = static_cast<uint32_t>(layout_.inputs + layout_.outputs);
        return {&plugin_, first, first + static_cast<uint32_t>(parameters_)};
    }

    lv2::ArtifactPort& artifact() noexcept { return artifact_; }
    std::vector<float>& positions() noexcept { return positions_; }

private:
    float* at(size_t port) const noexcept { return static_cast<float*>(ports_[port]); }

    // A slot's parameter changes with the model, but the host's knob stays where it is: it takes hold when it is moved.
    void take(size_t knob, const float* value) noexcept {
        if (value == nullptr) return;
        if (content().is_player() && std::exchange(positions_[knob], *value) == *value) return;
        plugin_.set(knob, static_cast<double>(*value));
    }

    Plugin plugin_;
    Layout layout_;
    lv2::ArtifactPort artifact_;
    std::vector<float> positions_;
    size_t parameters_;
    std::vector<void*> ports_;
};

Lv2Plugin& of(void* instance) { return *static_cast<Lv2Plugin*>(instance); }

const lv2::Descriptor* descriptors();

void* instantiate(const lv2::Descriptor* descriptor, double sample_rate, const char*, lv2::Features features) {
    if (!(sample_rate >= 1.0 && sample_rate <= 1e6)) return nullptr;
    try {
        const auto which = static_cast<size_t>(descriptor - descriptors());
        return new Lv2Plugin(content().layouts[which], sample_rate, features);
    } catch (const std::exception&) {
        return nullptr;
    }
}

// [worker, control] What a host asks for by extension_data; nothing that is thrown gets out.
constexpr lv2::WorkerInterface kWorker = {
    [](void* instance, lv2::Respond respond, void* handle, uint32_t size, const void* data) {
        try {
            of(instance).artifact().work(respond, handle, static_cast<const char*>(data), size);
            return 0;
        } catch (const std::exception&) {
            return 1;
        }
    },
    [](void* instance, uint32_t size, const void* data) {
        of(instance).artifact().work_response(static_cast<const char*>(data), size);
        return 0;
    },
    nullptr};
constexpr lv2::StateInterface kState = {
    [](void* instance, lv2::Store store, void* handle, uint32_t, lv2::Features features) {
        try {
            return of(instance).artifact().save(store, handle, features, of(instance).positions());
        } catch (const std::exception&) {
            return static_cast<int>(lv2::kStateUnknown);
        }
    },
    [](void* instance, lv2::Retrieve retrieve, void* handle, uint32_t, lv2::Features features) {
        try {
            return of(instance).artifact().restore(retrieve, handle, features, of(instance).positions());
        } catch (const std::exception&) {
            return static_cast<int>(lv2::kStateUnknown);
        }
    }};

const void* extension(const char* uri) {
    if (!content().is_player()) return nullptr;
    if (std::strcmp(uri, "http://lv2plug.in/ns/ext/worker#interface") == 0) return &kWorker;
    if (std::strcmp(uri, "http://lv2plug.in/ns/ext/state#interface") == 0) return &kState;
    return nullptr;
}

struct Descriptors {
    Descriptors() {
        for (size_t index = 0; index < content().layouts.size(); ++index) {
            uris[index] = content().identity.uri + kEndings[index];
            each[index] = {uris[index].c_str(),
                           instantiate,
                           [](void* instance, uint32_t port, void* memory) { of(instance).connect(port, memory); },
                           [](void* instance) { of(instance).reset(); },
                           [](void* instance, uint32_t samples) { of(instance).run(samples); },
                           [](void*) {},
                           [](void* instance) { delete &of(instance); },
                           extension};
        }
    }

    std::string uris[std::size(kEndings)];
    lv2::Descriptor each[std::size(kEndings)];
};

const lv2::Descriptor* descriptors() {
    static const Descriptors once;
    return once.each;
}

}  // namespace

lv2::Ports lv2::ports_of(void* instance) noexcept { return of(instance).ports(); }

}  // namespace neutone_like::plugin

extern "C" NEUTONE_LIKE_EXPORTED const neutone_like::plugin::lv2::Descriptor* lv2_descriptor(uint32_t index) {
    using namespace neutone_like::plugin;
    return index < content().layouts.size() ? descriptors() + index : nullptr;
}
