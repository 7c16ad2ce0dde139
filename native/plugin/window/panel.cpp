#include "panel.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dial.hpp"

namespace neutone_like::plugin {

namespace {

constexpr double kPixelsOfAll = 200.0;  // units that a hand moves for all of a knob
constexpr double kLeastPixelsOfAStep = 20.0;
constexpr double kFine = 0.1;
constexpr double kDoubleClickSeconds = 0.4;
constexpr double kWheel = 0.02;
constexpr double kHostSeconds = 0.3;
constexpr double kFactsSeconds = 0.5;
constexpr double kFallDb = 24.0;  // a second
constexpr double kHoldSeconds = 2.0;
constexpr double kSilenceDb = -200.0;
constexpr size_t kLongName = 13;  // letters that no longer fit beside a knob's neighbours

double decibels(float level) { return level > 1e-10f ? 20.0 * std::log10(static_cast<double>(level)) : kSilenceDb; }

size_t letters_of(const std::string& text) {
    return static_cast<size_t>(std::count_if(
        text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }));
}

std::string latency_text(int64_t samples, double rate) {
    if (rate <= 0.0) return "Latency \u2013";
    if (samples == 0) return "No latency";
    const double milliseconds = 1000.0 * static_cast<double>(samples) / rate;
    return "Latency " + tenths_text(milliseconds) + " ms (" + std::to_string(samples) + " samples)";
}

// Those that have a dial; bypass, the last one, has a button.
std::vector<size_t> shown_of(const std::vector<Knob>& knobs) {
    std::vector<size_t> shown;
    for (size_t at = 0; at + 1 < knobs.size(); ++at) {
        if (!knobs[at].is_unused) shown.push_back(at);
    }
    return shown;
}

Contents contents_of(const std::vector<Knob>& knobs, bool has_message) {
    Contents contents;
    contents.has_message = has_message;
    for (const size_t at : shown_of(knobs)) {
        ++contents.knobs;
        contents.has_long_names = contents.has_long_names || letters_of(knobs[at].parameter.name) > kLongName;
    }
    return contents;
}

}  // namespace

std::string tenths_text(double value) {
    const auto tenths = std::llround(std::clamp(value, -1e12, 1e12) * 10.0);
    const auto size = tenths < 0 ? -tenths : tenths;
    return (tenths < 0 ? "\u2013" : "") + std::to_string(size / 10) + "." + std::to_string(size % 10);
}

Size natural_size(const Plugin& plugin, double scale) {
    return natural_size(contents_of(*plugin.knobs(), !plugin.told().empty()), scale);
}

Panel::Panel(Plugin& plugin, Edits& edits) : plugin_(plugin), edits_(edits) {
    take_knobs();
    facts_.name = plugin_.model_name();
    facts_.message = plugin_.told();
    contents_.has_message = !facts_.message.empty();
    resize(natural_size(contents_, 1.0));
}

Panel::~Panel() { let_go(); }

void Panel::resize(Size window) {
    window_ = {std::max(window.width, 1), std::max(window.height, 1)};
    layout_ = panel_layout(contents_, window_);
    is_stale_ = true;
}

// The player's change with its artifact.
void Panel::take_knobs() {
    knobs_ = plugin_.knobs();
    shown_ = shown_of(*knobs_);
    contents_ = contents_of(*knobs_, contents_.has_message);
    hovered_ = selected_ = clicked_ = edited_ = kNone;
}

// ---- A hand ----

double Panel::position(size_t at) const noexcept {
    const bool is_new = at == edited_ && (at == held_.knob || now_ - edited_at_ < kHostSeconds);
    return dial_of(knob(at), is_new ? edited_to_ : plugin_.shown(at));
}

size_t Panel::knob_at(const Pointer& at) const noexcept {
    const double x = at.x / layout_.scale, y = at.y / layout_.scale;
    if (layout_.bypass.holds(x, y)) return bypass();
    for (size_t cell = 0; cell < layout_.cells.size(); ++cell) {
        if (layout_.cells[cell].holds(x, y)) return shown_[cell];
    }
    return kNone;
}

void Panel::set(size_t at, double value) {
    const bool is_new = value != (at == edited_ ? edited_to_ : plugin_.shown(at));
    edited_ = at;
    edited_to_ = value;
    edited_at_ = now_;
    if (is_new) edits_.change(at, value);
    is_stale_ = true;
}

void Panel::edit(size_t at, double value) {
    edits_.begin(at);
    edited_ = kNone;
    set(at, value);
    edits_.end(at);
}

// `part`: of the range, where the knob has no steps.
void Panel::step(size_t at, double steps, double part) {
    const int of_all = knob(at).steps();
    edit(at, value_at(knob(at), position(at) + steps * (of_all > 0 ? 1.0 / of_all : part)));
}

void Panel::press(const Pointer& at) {
    let_go();
    const size_t which = knob_at(at);
    const bool is_double = which == clicked_ && at.seconds - clicked_at_ < kDoubleClickSeconds;
    clicked_ = is_double ? kNone : which;
    clicked_at_ = at.seconds;
    selected_ = kNone;
    is_stale_ = true;
    if (which == kNone) return;
    if (which == bypass()) {
        edit(which, is_bypassed() ? 0.0 : 1.0);
    } else if (is_double) {
        edit(which, knob(which).default_value());
    } else {
        held_ = {which, at.y, position(which), false};
        edited_ = which;
        edited_to_ = plugin_.shown(which);
        edits_.begin(which);
    }
}

void Panel::move(const Pointer& at) {
    if (held_.knob == kNone) {
        const size_t over = knob_at(at);
        is_stale_ = is_stale_ || over != hovered_;
        hovered_ = over;
        return;
    }
    const double moved = (held_.from_y - at.y) / layout_.scale;
    if (!held_.has_moved && std::abs(moved) < 2.0) return;
    const double of_all = std::max(kPixelsOfAll, kLeastPixelsOfAStep * knob(held_.knob).steps());
    held_.position = std::clamp(held_.position + moved / of_all * (at.is_fine ? kFine : 1.0), 0.0, 1.0);
    held_.from_y = at.y;
    held_.has_moved = true;
    clicked_ = kNone;
    set(held_.knob, value_at(knob(held_.knob), held_.position));
}

// A choice goes on to the next one when it is only clicked.
void Panel::release(const Pointer& at) {
    if (held_.knob == kNone) return;
    const size_t which = held_.knob;
    const int steps = knob(which).steps();
    if (!held_.has_moved && steps > 0) {
        const double next = position(which) + 1.0 / steps;
        set(which, value_at(knob(which), next > 1.0 + 1e-6 ? 0.0 : next));
    }
    let_go();
    hovered_ = knob_at(at);  // none where the hand has left the window meanwhile
}

void Panel::let_go() {
    if (held_.knob == kNone) return;
    const size_t which = std::exchange(held_, {}).knob;
    edited_at_ = now_;
    is_stale_ = true;
    edits_.end(which);
}

void Panel::wheel(const Pointer& at, bool is_up) {
    const size_t which = knob_at(at);
    if (which == kNone || held_.knob != kNone) return;
    step(which, is_up ? 1.0 : -1.0, at.is_fine ? kFine * kWheel : kWheel);
}

void Panel::leave() {
    if (held_.knob != kNone) return;
    hovered_ = selected_ = kNone;
    is_stale_ = true;
}

void Panel::key(Key key) {
    if (held_.knob != kNone) return;
    std::vector<size_t> all = shown_;
    all.push_back(bypass());
    auto found = std::find(all.begin(), all.end(), selected_);
    if (found == all.end()) found = std::find(all.begin(), all.end(), hovered_);
    const bool is_there = found != all.end();
    const auto place = is_there ? static_cast<size_t>(found - all.begin()) : 0;
    if (key == Key::next || key == Key::previous) {
        const size_t way = key == Key::next ? 1 : all.size() - 1;
        selected_ = is_there ? all[(place + way) % all.size()] : key == Key::next ? all.front() : all.back();
        is_stale_ = true;
        return;
    }
    if (!is_there) return;
    selected_ = all[place];
    switch (key) {
        case Key::up: return step(selected_, 1.0, 0.01);
        case Key::down: return step(selected_, -1.0, 0.01);
        case Key::page_up: return step(selected_, 1.0, 0.1);
        case Key::page_down: return step(selected_, -1.0, 0.1);
        case Key::lowest: return edit(selected_, knob(selected_).lowest());
        case Key::highest: return edit(selected_, knob(selected_).highest());
        case Key::choose:
            if (selected_ == bypass()) edit(selected_, is_bypassed() ? 0.0 : 1.0);
            return;
        default: return edit(selected_, knob(selected_).default_value());
    }
}

void Panel::open(const std::string& path) {
    let_go();
    edits_.open(path);
    facts_at_ = -1.0;
}

// ---- What there is to show ----

bool Panel::refresh(double seconds) {
    now_ = seconds;
    if (held_.knob == kNone && plugin_.knobs() != knobs_) {
        take_knobs();
        facts_at_ = -1.0;
        resize(window_);
    }
    if (facts_at_ < 0.0 || seconds - facts_at_ >= kFactsSeconds) take_facts(seconds);
    take_levels(seconds);
    std::vector<double> positions(knobs_->size());
    for (size_t at = 0; at < positions.size(); ++at) positions[at] = position(at);
    is_stale_ = is_stale_ || positions != drawn_;
    drawn_ = std::move(positions);
    return std::exchange(is_stale_, false);
}

void Panel::take_facts(double seconds) {
    const Facts now = {plugin_.model_name(), plugin_.told(), load_text(seconds),
                       latency_text(plugin_.latency_samples(), plugin_.sample_rate())};
    facts_at_ = seconds;
    if (now == facts_) return;
    facts_ = now;
    is_stale_ = true;
    if (contents_.has_message == !facts_.message.empty()) return;
    contents_.has_message = !facts_.message.empty();
    resize(window_);
}

std::string Panel::load_text(double seconds) {
    const Meters& meters = plugin_.meters();
    const uint64_t ticks = Meters::ticks(), samples = meters.samples();
    const uint64_t callback = meters.callback_ticks(), worker = meters.worker_ticks();
    const double passed = static_cast<double>(ticks - read_ticks_);
    const auto played = static_cast<double>(samples - read_samples_);
    const auto own = static_cast<double>(worker < read_worker_ ? worker : worker - read_worker_);
    const double busy = std::max(static_cast<double>(callback - read_callback_), own);
    const bool is_first = facts_at_ < 0.0 || read_ticks_ == 0;
    const double rate = plugin_.sample_rate();
    read_ticks_ = ticks, read_samples_ = samples, read_callback_ = callback, read_worker_ = worker;
    if (is_first || passed <= 0.0 || played <= 0.0 || rate <= 0.0) return "";
    const double ticks_a_second = passed / (seconds - facts_at_);
    return "Load " + tenths_text(100.0 * busy / (ticks_a_second * played / rate)) + " %";
}

void Panel::take_levels(double seconds) {
    for (size_t channel = 0; channel < levels_.size(); ++channel) {
        Level& level = levels_[channel];
        const Level before = level;
        const double db = decibels(plugin_.meters().take_peak(channel));
        const double fallen = level.db - kFallDb / 30.0;
        level.db = std::max(db, fallen < -90.0 ? kSilenceDb : fallen);
        if (db >= level.highest || seconds - level.highest_since > kHoldSeconds) {
            level.highest = level.db;
            level.highest_since = seconds;
        }
        is_stale_ = is_stale_ || level.db != before.db || level.highest != before.highest;
    }
}

}  // namespace neutone_like::plugin
