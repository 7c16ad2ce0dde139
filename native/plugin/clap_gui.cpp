#include "clap_gui.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "clap_plugin.hpp"

namespace neutone_like::plugin {

namespace {

constexpr const char* kApi = "x11";
constexpr const char* kTimerId = "clap.timer-support";
constexpr uint32_t kLeastPixels = 120;

ClapGui& gui_of(const clap_plugin* face) { return ClapPlugin::of(face).gui; }

bool size_of(const clap_plugin* face, uint32_t* width, uint32_t* height) {
    if (width == nullptr || height == nullptr) return false;
    const Size size = gui_of(face).size();
    *width = static_cast<uint32_t>(size.width);
    *height = static_cast<uint32_t>(size.height);
    return true;
}

// Any that can be seen: the knobs find their places.
bool adjust_size(const clap_plugin*, uint32_t* width, uint32_t* height) {
    if (width == nullptr || height == nullptr) return false;
    *width = std::max(*width, kLeastPixels);
    *height = std::max(*height, kLeastPixels);
    return true;
}

constexpr clap_plugin_gui kGui = {
    [](const clap_plugin* face, const char* api, bool is_floating) {
        return gui_of(face).is_possible(api, is_floating);
    },
    [](const clap_plugin* face, const char** api, bool* is_floating) {
        if (api == nullptr || is_floating == nullptr || !gui_of(face).is_possible(kApi, false)) return false;
        *api = kApi;
        *is_floating = false;
        return true;
    },
    [](const clap_plugin* face, const char* api, bool is_floating) {
        return gui_of(face).is_possible(api, is_floating) && gui_of(face).create();
    },
    [](const clap_plugin* face) { gui_of(face).destroy(); },
    [](const clap_plugin* face, double scale) { return gui_of(face).set_scale(scale); },
    size_of,
    [](const clap_plugin*) { return true; },
    [](const clap_plugin*, clap_resize_hints* hints) {
        if (hints == nullptr) return false;
        *hints = {true, true, false, 0, 0};
        return true;
    },
    adjust_size,
    [](const clap_plugin* face, uint32_t width, uint32_t height) {
        return gui_of(face).set_size({static_cast<int>(std::min(width, 1u << 20)),  // the window takes less
                                      static_cast<int>(std::min(height, 1u << 20))});
    },
    [](const clap_plugin* face, const clap_window* window) {
        return window != nullptr && window->api != nullptr && std::strcmp(window->api, kApi) == 0 &&
               gui_of(face).set_parent(*window);
    },
    [](const clap_plugin*, const clap_window*) { return false; },
    [](const clap_plugin*, const char*) {},
    [](const clap_plugin* face) { return gui_of(face).show(true); },
    [](const clap_plugin* face) { return gui_of(face).show(false); }};

constexpr clap_plugin_timer kTimer = {[](const clap_plugin* face, uint32_t timer) { gui_of(face).tick(timer); }};

}  // namespace

// ---- Edits ----

// Room for its end stays: a host that has heard of the beginning hears of it, too.
void ClapEdits::begin(size_t knob) { has_begun_ = add({CLAP_GESTURE_BEGIN, knob, 0.0}, 2); }

void ClapEdits::end(size_t knob) {
    if (std::exchange(has_begun_, false)) add({CLAP_GESTURE_END, knob, 0.0}, 1);
}

void ClapEdits::change(size_t knob, double value) {
    plugin_.plugin.show(knob, value);
    plugin_.plugin.hear_shown();
    add({CLAP_PARAM_VALUE, knob, plugin_.plugin.shown(knob)}, 2);
}

void ClapEdits::open(const std::string& path) {
    const int64_t latency = plugin_.plugin.latency_samples();
    plugin_.plugin.open(path);
    tell_changes(plugin_, latency);
    const auto* state = plugin_.of_host<clap_host_state>("clap.state");
    if (state != nullptr) state->mark_dirty(plugin_.host);
}

// A host that has not listened for so long reads the values anew when it does.
bool ClapEdits::add(const Edit& edit, size_t least_room) {
    const auto* params = plugin_.of_host<clap_host_params>("clap.params");
    const size_t added = added_.load(std::memory_order_relaxed);
    const bool has_room = kRoom - (added - told_.load(std::memory_order_acquire)) >= least_room;
    if (has_room) {
        ring_[added % kRoom] = edit;
        added_.store(added + 1, std::memory_order_release);
    }
    if (params == nullptr) return has_room;
    has_room ? params->request_flush(plugin_.host) : params->rescan(plugin_.host, CLAP_RESCAN_VALUES);
    return has_room;
}

void ClapEdits::tell(const clap_output_events* out) noexcept {
    if (out == nullptr) return;
    size_t told = told_.load(std::memory_order_relaxed);
    const size_t added = added_.load(std::memory_order_acquire);
    while (told != added && push(*out, ring_[told % kRoom])) ++told;
    told_.store(told, std::memory_order_release);
}

bool ClapEdits::push(const clap_output_events& out, const Edit& edit) const noexcept {
    const uint32_t id = plugin_.plugin.of().knobs[edit.knob].id;
    if (edit.type == CLAP_PARAM_VALUE) {
        const clap_param_value value = {
            {sizeof value, 0, CLAP_CORE_EVENTS, CLAP_PARAM_VALUE, 0}, id, nullptr, -1, -1, -1, -1, edit.value};
        return out.try_push(&out, &value.event);
    }
    const clap_param_gesture gesture = {{sizeof gesture, 0, CLAP_CORE_EVENTS, edit.type, 0}, id};
    return out.try_push(&out, &gesture.event);
}

// ---- The window ----

bool ClapGui::is_possible(const char* api, bool is_floating) const {
    return api != nullptr && std::strcmp(api, kApi) == 0 && !is_floating && desktop() != nullptr &&
           plugin_.of_host<clap_host_timer>(kTimerId) != nullptr;
}

bool ClapGui::create() {
    const double scale = display_scale();
    if (scale <= 0.0) return false;
    size_ = natural_size(plugin_.plugin, scale);
    return true;
}

void ClapGui::destroy() {
    if (has_timer_) plugin_.of_host<clap_host_timer>(kTimerId)->unregister_timer(plugin_.host, timer_);
    has_timer_ = false;
    window_ = nullptr;
}

bool ClapGui::set_scale(double scale) {
    if (!(scale >= 0.25 && scale <= 8.0) || window_ != nullptr) return false;
    size_ = natural_size(plugin_.plugin, scale);
    return true;
}

bool ClapGui::set_size(Size size) {
    size_ = size;
    if (window_ != nullptr) window_->resize(size);
    return true;
}

bool ClapGui::set_parent(const clap_window& window) {
    const auto* timer = plugin_.of_host<clap_host_timer>(kTimerId);
    window_ = nullptr;
    window_ = Window::open(plugin_.plugin, plugin_.edits, window.parent.x11, size_);
    if (window_ == nullptr || timer == nullptr) return false;
    if (!has_timer_) has_timer_ = timer->register_timer(plugin_.host, kTimerMs, &timer_);
    return has_timer_;
}

bool ClapGui::show(bool is_shown) {
    if (window_ == nullptr) return false;
    window_->show(is_shown);
    return true;
}

void ClapGui::tick(uint32_t timer) {
    if (window_ != nullptr && has_timer_ && timer == timer_) window_->tick();
}

const void* clap_gui_extension(const ClapPlugin&, const char* id) noexcept {
    const bool is_gui = id != nullptr && std::strcmp(id, "clap.gui") == 0;
    const bool is_timer = id != nullptr && std::strcmp(id, kTimerId) == 0;
    if (!(is_gui || is_timer) || desktop() == nullptr) return nullptr;
    return is_gui ? static_cast<const void*>(&kGui) : &kTimer;
}

}  // namespace neutone_like::plugin
