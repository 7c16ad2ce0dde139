// CLAP: ports, parameters, state, latency.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "clap_plugin.hpp"
#include "text.hpp"

namespace neutone_like::plugin {

namespace {

constexpr size_t kLongestState = 1u << 20;

// Null: any.
const char* type_of(int channels) { return channels == 1 ? "mono" : channels == 2 ? "stereo" : nullptr; }

std::string name_of(const Layout& layout) {
    if (layout.spreads()) return "Mono to stereo";
    if (layout == Layout{2, 2}) return "Stereo";
    if (layout == Layout{1, 1}) return "Mono";
    return std::to_string(layout.inputs) + " in, " + std::to_string(layout.outputs) + " out";
}

bool port(const clap_plugin* face, uint32_t index, bool is_input, clap_port_info* info) {
    if (index != 0 || info == nullptr) return false;
    const Layout& layout = ClapPlugin::of(face).layout;
    const int channels = is_input ? layout.inputs : layout.outputs;
    *info = {};
    info->id = is_input ? 0 : 1;
    write_text(is_input ? "Input" : "Output", info->name, sizeof info->name);
    info->flags = CLAP_PORT_IS_MAIN;
    info->channels = static_cast<uint32_t>(channels);
    info->type = type_of(channels);
    info->in_place_pair = layout.inputs == layout.outputs ? (is_input ? 1u : 0u) : CLAP_NO_ID;
    return true;
}

bool ports_config(const clap_plugin* face, uint32_t index, clap_ports_config* config) {
    const std::vector<Layout>& layouts = ClapPlugin::of(face).plugin.of().layouts;
    if (index >= layouts.size() || config == nullptr) return false;
    const Layout& layout = layouts[index];
    *config = {};
    config->id = index;
    write_text(name_of(layout), config->name, sizeof config->name);
    config->input_ports = config->output_ports = 1;
    config->has_main_input = config->has_main_output = true;
    config->main_input_channels = static_cast<uint32_t>(layout.inputs);
    config->main_input_type = type_of(layout.inputs);
    config->main_output_channels = static_cast<uint32_t>(layout.outputs);
    config->main_output_type = type_of(layout.outputs);
    return true;
}

bool select_ports(const clap_plugin* face, uint32_t id) {
    ClapPlugin& self = ClapPlugin::of(face);
    const std::vector<Layout>& layouts = self.plugin.of().layouts;
    if (id >= layouts.size() || self.is_active) return false;
    self.layout = layouts[id];
    return true;
}

// One of them as the model that plays has it; false: there is none of this id.
bool knob_of(const clap_plugin* face, uint32_t id, Knob& knob) {
    const Plugin& plugin = ClapPlugin::of(face).plugin;
    const size_t index = plugin.of().find(id);
    if (index >= plugin.of().knobs.size()) return false;
    knob = (*plugin.knobs())[index];
    return true;
}

bool knob_info(const clap_plugin* face, uint32_t index, clap_param_info* info) {
    const auto knobs = ClapPlugin::of(face).plugin.knobs();
    if (index >= knobs->size() || info == nullptr) return false;
    const Knob& knob = (*knobs)[index];
    *info = {};
    info->id = knob.id;
    info->flags = CLAP_PARAM_IS_AUTOMATABLE;
    // A slot's steps would change with its model, which a host can't take while it plays.
    if (knob.steps() > 0 && !knob.is_slot) info->flags |= CLAP_PARAM_IS_STEPPED | CLAP_PARAM_IS_ENUM;
    if (knob.is_bypass) info->flags |= CLAP_PARAM_IS_BYPASS;
    if (knob.is_unused) info->flags |= CLAP_PARAM_IS_HIDDEN;
    write_text(knob.parameter.name, info->name, sizeof info->name);
    info->minimum = knob.lowest();
    info->maximum = knob.highest();
    info->default_value = knob.default_value();
    return true;
}

bool knob_value(const clap_plugin* face, uint32_t id, double* value) {
    const Plugin& plugin = ClapPlugin::of(face).plugin;
    const size_t index = plugin.of().find(id);
    if (index >= plugin.of().knobs.size() || value == nullptr) return false;
    *value = plugin.shown(index);
    return true;
}

bool knob_text(const clap_plugin* face, uint32_t id, double value, char* text, uint32_t bytes) {
    Knob knob;
    if (text == nullptr || !knob_of(face, id, knob)) return false;
    write_text(knob.text(value, true), text, bytes);
    return true;
}

bool text_value(const clap_plugin* face, uint32_t id, const char* text, double* value) {
    Knob knob;
    return text != nullptr && value != nullptr && knob_of(face, id, knob) && knob.value_of(text, *value);
}

// A stream takes and gives as little at a time as it likes.
bool save(const clap_plugin* face, const clap_ostream* stream) {
    const std::string state = ClapPlugin::of(face).plugin.state();
    for (size_t at = 0; at < state.size();) {
        const int64_t written = stream->write(stream, state.data() + at, state.size() - at);
        if (written <= 0) return false;
        at += static_cast<size_t>(written);
    }
    return true;
}

bool load(const clap_plugin* face, const clap_istream* stream) {
    ClapPlugin& self = ClapPlugin::of(face);
    std::string state;
    char part[4096];
    for (int64_t got = 0; (got = stream->read(stream, part, sizeof part)) != 0;) {
        if (got < 0 || state.size() > kLongestState) return false;
        state.append(part, static_cast<size_t>(got));
    }
    const int64_t latency = self.plugin.latency_samples();
    if (!self.plugin.load(state)) return false;
    tell_changes(self, latency);
    return true;
}

constexpr clap_plugin_audio_ports kPorts = {[](const clap_plugin*, bool) -> uint32_t { return 1; }, port};
constexpr clap_plugin_audio_ports_config kPortsConfig = {
    [](const clap_plugin* face) { return static_cast<uint32_t>(ClapPlugin::of(face).plugin.of().layouts.size()); },
    ports_config, select_ports};
constexpr clap_plugin_params kParams = {
    [](const clap_plugin* face) { return static_cast<uint32_t>(ClapPlugin::of(face).plugin.of().knobs.size()); },
    knob_info,
    knob_value,
    knob_text,
    text_value,
    [](const clap_plugin* face, const clap_input_events* in, const clap_output_events* out) {
        take_events(ClapPlugin::of(face).plugin, in);
        ClapPlugin::of(face).edits.tell(out);
    }};
constexpr clap_plugin_state kState = {save, load};
constexpr clap_plugin_samples kLatency = {
    [](const clap_plugin* face) { return static_cast<uint32_t>(ClapPlugin::of(face).plugin.latency_samples()); }};
constexpr clap_plugin_samples kTail = {[](const clap_plugin* face) -> uint32_t {
    return static_cast<uint32_t>(std::min<int64_t>(ClapPlugin::of(face).plugin.tail_samples(), INT32_MAX));
}};
constexpr clap_plugin_render kRender = {[](const clap_plugin*) { return false; },
                                        [](const clap_plugin*, int32_t) { return true; }};

}  // namespace

const void* clap_extension(const ClapPlugin& plugin, const char* id) noexcept {
    struct Named {
        const char* id;
        const void* extension;
    };
    const Named known[] = {{"clap.audio-ports", &kPorts}, {"clap.audio-ports-config", &kPortsConfig},
                           {"clap.params", &kParams},     {"clap.state", &kState},
                           {"clap.latency", &kLatency},   {"clap.tail", &kTail},
                           {"clap.render", &kRender}};
    for (const Named& each : known) {
        if (id != nullptr && std::strcmp(each.id, id) == 0) return each.extension;
    }
    if (const void* gui = clap_gui_extension(plugin, id)) return gui;
    return plugin.plugin.of().is_player() ? clap_preset_extension(id) : nullptr;
}

}  // namespace neutone_like::plugin
