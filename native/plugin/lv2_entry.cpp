// LV2: three plugins in one bundle, for stereo, mono and mono to stereo, because a plugin's ports are fixed.
//
// Ports, as neutone_like/plugin/lv2.py writes them into the bundle: inputs, outputs, the model's parameters in their own
// units, enabled (LV2's name for the reverse of bypass), and latency.
#include <cstdint>
#include <exception>
#include <iterator>
#include <string>
#include <vector>

#include "plugin.hpp"

extern "C" {

// As much of LV2's binary interface (lv2plug.in/ns/lv2core) as is used here.
typedef struct lv2_feature {
    const char* uri;
    void* data;
} lv2_feature;

typedef struct lv2_descriptor_of_plugin {
    const char* uri;
    void* (*instantiate)(const struct lv2_descriptor_of_plugin* descriptor, double sample_rate, const char* bundle,
                         const lv2_feature* const* features);
    void (*connect_port)(void* instance, uint32_t port, void* memory);
    void (*activate)(void* instance);
    void (*run)(void* instance, uint32_t samples);
    void (*deactivate)(void* instance);
    void (*cleanup)(void* instance);
    const void* (*extension_data)(const char* uri);
} lv2_descriptor_of_plugin;
}

namespace neutone_like::plugin {

namespace {

constexpr int kLongestBlock = 8192;  // hosts needn't say; longer ones are cut
constexpr Layout kLayouts[] = {{2, 2}, {1, 1}, {1, 2}};
constexpr const char* kEndings[] = {"", "#mono", "#mono-to-stereo"};

class Lv2Plugin {
public:
    Lv2Plugin(Layout layout, double sample_rate) : plugin_(content()), layout_(layout) {
        // The bundle's description has as many ports even where the model is lost.
        const auto told = static_cast<size_t>(std::max(content().identity.parameters, 0));
        parameters_ = std::max(told, content().bypass());
        ports_.resize(static_cast<size_t>(layout.inputs + layout.outputs) + parameters_ + 2, nullptr);
        plugin_.prepare(sample_rate, kLongestBlock, layout);
    }

    void connect(uint32_t port, void* memory) noexcept {
        if (port < ports_.size()) ports_[port] = static_cast<float*>(memory);
    }

    void reset() noexcept { plugin_.reset(); }

    void run(uint32_t samples) noexcept {
        const size_t first = static_cast<size_t>(layout_.inputs + layout_.outputs);
        for (size_t knob = 0; knob < content().bypass(); ++knob) take(knob, ports_[first + knob]);
        if (const float* enabled = ports_[first + parameters_]) {
            plugin_.set(content().bypass(), *enabled > 0.0f ? 0.0 : 1.0);
        }
        if (float* latency = ports_[first + parameters_ + 1]) *latency = static_cast<float>(plugin_.latency_samples());
        plugin_.process(ports_.data(), ports_.data() + layout_.inputs, static_cast<int>(samples));
    }

private:
    void take(size_t knob, const float* value) noexcept {
        if (value != nullptr) plugin_.set(knob, static_cast<double>(*value));
    }

    Plugin plugin_;
    Layout layout_;
    size_t parameters_;
    std::vector<float*> ports_;
};

Lv2Plugin& of(void* instance) { return *static_cast<Lv2Plugin*>(instance); }

const lv2_descriptor_of_plugin* descriptors();

void* instantiate(const lv2_descriptor_of_plugin* descriptor, double sample_rate, const char*,
                  const lv2_feature* const*) {
    try {
        return new Lv2Plugin(kLayouts[descriptor - descriptors()], sample_rate);
    } catch (const std::exception&) {
        return nullptr;
    }
}

struct Descriptors {
    Descriptors() {
        for (size_t index = 0; index < std::size(kLayouts); ++index) {
            uris[index] = content().identity.uri + kEndings[index];
            each[index] = {uris[index].c_str(),
                           instantiate,
                           [](void* instance, uint32_t port, void* memory) { of(instance).connect(port, memory); },
                           [](void* instance) { of(instance).reset(); },
                           [](void* instance, uint32_t samples) { of(instance).run(samples); },
                           [](void*) {},
                           [](void* instance) { delete &of(instance); },
                           [](const char*) -> const void* { return nullptr; }};
        }
    }

    std::string uris[std::size(kLayouts)];
    lv2_descriptor_of_plugin each[std::size(kLayouts)];
};

const lv2_descriptor_of_plugin* descriptors() {
    static const Descriptors once;
    return once.each;
}

}  // namespace

}  // namespace neutone_like::plugin

extern "C" __attribute__((visibility("default"))) const lv2_descriptor_of_plugin* lv2_descriptor(uint32_t index) {
    using namespace neutone_like::plugin;
    return index < std::size(kLayouts) ? descriptors() + index : nullptr;
}
