// CLAP: the life of a plugin, and its audio, cut at the samples of parameter events.
#include "clap_plugin.hpp"

#include <algorithm>

namespace neutone_like::plugin {

namespace {

void log(const ClapPlugin& self) {
    const auto* host_log = self.of_host<clap_host_log>("clap.log");
    const std::string message = host_log == nullptr ? "" : self.plugin.told();
    if (!message.empty()) host_log->log(self.host, CLAP_LOG_WARNING, message.c_str());
}

bool activate(const clap_plugin* face, double sample_rate, uint32_t, uint32_t most) {
    ClapPlugin& self = ClapPlugin::of(face);
    if (!(sample_rate >= 1.0 && sample_rate <= 1e6)) return false;
    self.plugin.prepare(sample_rate, static_cast<int>(std::min<uint32_t>(most, 1u << 30)), self.layout);
    self.is_active = true;
    const auto* latency = self.of_host<clap_host_latency>("clap.latency");
    if (latency != nullptr && self.told_latency != self.plugin.latency_samples()) latency->changed(self.host);
    self.told_latency = self.plugin.latency_samples();
    self.tail = self.of_host<clap_host_tail>("clap.tail");
    self.told_tail = self.plugin.tail_samples();
    log(self);
    return true;
}

// The host's rows, as many as the layout has; null for those that it doesn't give.
void rows_of(const clap_audio_buffer* buffers, uint32_t count, int wanted, float** rows) noexcept {
    const bool is_there = buffers != nullptr && count > 0 && buffers[0].data32 != nullptr;
    const int given = is_there ? static_cast<int>(buffers[0].channels) : 0;
    for (int channel = 0; channel < wanted; ++channel) {
        rows[channel] = channel < given ? buffers[0].data32[channel] : nullptr;
    }
}

void play(ClapPlugin& self, const clap_process& process, uint32_t from, uint32_t to) noexcept {
    if (from == to) return;
    float* in[kMostChannels] = {};
    float* out[kMostChannels] = {};
    rows_of(process.inputs, process.input_count, self.layout.inputs, in);
    rows_of(process.outputs, process.output_count, self.layout.outputs, out);
    for (float*& row : in) row = row == nullptr ? nullptr : row + from;
    for (float*& row : out) row = row == nullptr ? nullptr : row + from;
    self.plugin.process(in, out, static_cast<int>(to - from));
}

// With a model that was opened meanwhile, or is gone. A host takes it on the audio thread.
void tell_tail(ClapPlugin& self) noexcept {
    self.told_tail = self.plugin.tail_samples();
    if (self.tail != nullptr) self.tail->changed(self.host);
}

int32_t process(const clap_plugin* face, const clap_process* given) {
    ClapPlugin& self = ClapPlugin::of(face);
    if (given == nullptr || !self.is_active) return CLAP_PROCESS_ERROR;
    const clap_input_events* events = given->in_events;
    const uint32_t count = events == nullptr ? 0 : events->size(events);
    uint32_t at = 0;
    for (uint32_t index = 0; index < count; ++index) {
        const clap_event* event = events->get(events, index);
        if (event == nullptr) continue;
        const uint32_t time = std::clamp(event->time, at, given->frames);
        play(self, *given, at, time);
        at = time;
        take_event(self.plugin, *event);
    }
    play(self, *given, at, given->frames);
    self.edits.tell(given->out_events);
    if (self.plugin.tail_samples() != self.told_tail) tell_tail(self);
    for (uint32_t port = 0; port < given->output_count && given->outputs != nullptr; ++port) {
        given->outputs[port].constant_mask = 0;
    }
    return self.told_tail < Plugin::kEndless ? CLAP_PROCESS_TAIL : CLAP_PROCESS_CONTINUE;
}

void destroy(const clap_plugin* face) { delete &ClapPlugin::of(face); }

}  // namespace

ClapPlugin::ClapPlugin(const clap_host* of) : host(of), plugin(content()) {
    face.data = this;
    face.init = [](const clap_plugin*) { return true; };
    face.destroy = destroy;
    face.activate = activate;
    face.deactivate = [](const clap_plugin* plugin_face) { ClapPlugin::of(plugin_face).is_active = false; };
    face.start_processing = [](const clap_plugin*) { return true; };
    face.stop_processing = [](const clap_plugin*) {};
    face.reset = [](const clap_plugin* plugin_face) { ClapPlugin::of(plugin_face).plugin.reset(); };
    face.process = process;
    face.get_extension = [](const clap_plugin* plugin_face, const char* id) {
        return clap_extension(ClapPlugin::of(plugin_face), id);
    };
    face.on_main_thread = [](const clap_plugin*) {};
}

// A host takes another latency while the plugin is not active.
void tell_changes(const ClapPlugin& plugin, int64_t latency) {
    const uint32_t texts = plugin.plugin.of().is_player() ? CLAP_RESCAN_INFO | CLAP_RESCAN_TEXT : 0;
    const auto* params = plugin.of_host<clap_host_params>("clap.params");
    if (params != nullptr) params->rescan(plugin.host, CLAP_RESCAN_VALUES | texts);
    if (plugin.is_active && plugin.plugin.latency_samples() != latency && plugin.host->request_restart != nullptr) {
        plugin.host->request_restart(plugin.host);
    }
    // One that a host let sleep may have a model now that sounds without an input.
    if (plugin.is_active && plugin.host->request_process != nullptr) plugin.host->request_process(plugin.host);
    if (plugin.plugin.of().is_player()) log(plugin);
}

void take_event(Plugin& plugin, const clap_event& event) noexcept {
    if (event.space != CLAP_CORE_EVENTS || event.type != CLAP_PARAM_VALUE) return;
    const auto& change = reinterpret_cast<const clap_param_value&>(event);
    const size_t knob = plugin.of().find(change.id);
    if (knob < plugin.of().knobs.size()) plugin.set(knob, change.value);
}

void take_events(Plugin& plugin, const clap_input_events* events) noexcept {
    const uint32_t count = events == nullptr ? 0 : events->size(events);
    for (uint32_t index = 0; index < count; ++index) {
        const clap_event* event = events->get(events, index);
        if (event != nullptr) take_event(plugin, *event);
    }
}

}  // namespace neutone_like::plugin
