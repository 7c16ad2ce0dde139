// An instance of the plugin in a CLAP host.
#pragma once

#include "clap_abi.h"
#include "clap_gui.hpp"
#include "plugin.hpp"

namespace neutone_like::plugin {

struct ClapPlugin {
    explicit ClapPlugin(const clap_host* of);

    clap_plugin face{};  // what the host holds
    const clap_host* host;
    Plugin plugin;
    Layout layout = content().layouts.front();
    bool is_active = false;
    int64_t told_latency = 0;  // to the host, when it was last activated
    const clap_host_tail* tail = nullptr;
    int64_t told_tail = Plugin::kEndless;  // what the host knows
    ClapEdits edits{*this};
    ClapGui gui{*this};

    static ClapPlugin& of(const clap_plugin* face) noexcept { return *static_cast<ClapPlugin*>(face->data); }

    template <typename Extension>
    const Extension* of_host(const char* id) const noexcept {
        return host->get_extension == nullptr ? nullptr : static_cast<const Extension*>(host->get_extension(host, id));
    }
};

// One that a plugin has by this name, or null.
const void* clap_extension(const ClapPlugin& plugin, const char* id) noexcept;
const void* clap_preset_extension(const char* id) noexcept;
const void* clap_gui_extension(const ClapPlugin& plugin, const char* id) noexcept;

// [main] Tells the host what Plugin::load or open changed. `latency`: what it was before.
void tell_changes(const ClapPlugin& plugin, int64_t latency);

// [audio, or main while it is not active] Sets what the events say, whenever that is.
void take_events(Plugin& plugin, const clap_input_events* events) noexcept;
void take_event(Plugin& plugin, const clap_event& event) noexcept;

}  // namespace neutone_like::plugin
