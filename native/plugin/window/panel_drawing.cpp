// How the panel looks.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "dial.hpp"
#include "panel.hpp"

namespace neutone_like::plugin {

namespace {

constexpr uint32_t kGround = 0x1e2226;
constexpr uint32_t kRaised = 0x2a3036;
constexpr uint32_t kTrack = 0x3d454d;
constexpr uint32_t kText = 0xeceff1;
constexpr uint32_t kQuiet = 0xa9b4bd;
constexpr uint32_t kAccent = 0x5bc8b4;
constexpr uint32_t kWarning = 0xf2b44b;
constexpr uint32_t kClipped = 0xef6a5e;
constexpr Font kTitleFont{17.0, true};
constexpr Font kSmall{11.5, false};
constexpr Font kSmallBold{11.5, true};
constexpr Font kTiny{9.5, false};
constexpr double kLine = 14.0;
constexpr double kDial = 24.0;  // radius
constexpr double kFrom = 0.75 * std::numbers::pi;
constexpr double kAll = 1.5 * std::numbers::pi;
constexpr double kLowestDb = -60.0;
constexpr double kHighestDb = 6.0;
constexpr int kMostTicks = 12;

double along(double db) { return std::clamp((db - kLowestDb) / (kHighestDb - kLowestDb), 0.0, 1.0); }

std::string level_text(double db) {
    if (db < kLowestDb) return "\u2013\u221e dB";
    return tenths_text(db) + " dB";
}

}  // namespace

void Panel::draw(Canvas& canvas) {
    canvas.color(kGround);
    canvas.fill(layout_.all);
    draw_header(canvas);
    draw_message(canvas);
    for (size_t cell = 0; cell < layout_.cells.size(); ++cell) draw_knob(canvas, shown_[cell], layout_.cells[cell]);
    canvas.color(kRaised);
    canvas.fill({0.0, layout_.meter.y - 14.0, layout_.all.width, layout_.all.bottom() - layout_.meter.y + 14.0});
    draw_meter(canvas);
    draw_facts(canvas);
}

// Below the name stands what the hand is over, in full.
void Panel::draw_header(Canvas& canvas) const {
    canvas.color(kText);
    canvas.text(facts_.name, kTitleFont, layout_.title, layout_.title.y + 18.0, Align::left);
    const Identity& identity = plugin_.of().identity;
    std::string below = plugin_.of().is_player() ? plugin_.artifact() : identity.vendor + "  " + identity.version;
    const size_t of = held_.knob != kNone ? held_.knob : selected_ != kNone ? selected_ : hovered_;
    if (of != kNone) {
        const Parameter& parameter = knob(of).parameter;
        below = parameter.name + (parameter.description.empty() ? "" : ": " + parameter.description);
    }
    canvas.color(kQuiet);
    canvas.text(below, kSmall, layout_.subtitle, layout_.subtitle.y + 13.0, Align::left);

    const Box& button = layout_.bypass;
    canvas.color(is_bypassed() ? kWarning : kRaised);
    canvas.fill(button, 13.0);
    canvas.color(is_bypassed() ? kWarning : selected_ == bypass() || hovered_ == bypass() ? kText : kTrack);
    canvas.outline(button, 13.0, 1.0);
    canvas.color(is_bypassed() ? kGround : kText);
    canvas.text("Bypass", is_bypassed() ? kSmallBold : kSmall, button, button.middle_y() + 4.0, Align::middle);
}

void Panel::draw_message(Canvas& canvas) const {
    if (!contents_.has_message) {
        if (shown_.empty()) {
            const Box line = {0.0, 0.0, layout_.all.width, 0.0};
            canvas.color(kQuiet);
            canvas.text("This model has no knobs.", kSmall, line, (layout_.subtitle.bottom() + layout_.meter.y) / 2.0,
                        Align::middle);
        }
        return;
    }
    canvas.color(kWarning);
    double baseline = layout_.message.y + 11.0;
    for (const std::string& line : canvas.lines(facts_.message, kSmall, layout_.message.width, 3)) {
        canvas.text(line, kSmall, layout_.message, baseline, Align::left);
        baseline += kLine;
    }
}

// With as many digits as a hand can tell apart.
std::string Panel::value_text(size_t at) const {
    const Parameter& parameter = knob(at).parameter;
    const double value = knob(at).plain(value_at(knob(at), position(at)));
    const double size = std::floor(std::log10(parameter.maximum - parameter.minimum));
    const double unit = std::pow(10.0, std::clamp(3.0 - size, 0.0, 9.0));
    const double rounded = std::round(value * unit) / unit;
    return parameter.to_text(
        std::clamp(parameter.is_categorical() ? value : rounded + 0.0, parameter.minimum, parameter.maximum));
}

void Panel::draw_knob(Canvas& canvas, size_t at, const Box& cell) const {
    const Box inside = {cell.x + 4.0, cell.y, cell.width - 8.0, cell.height};
    if (at == selected_) {
        canvas.color(kQuiet);
        canvas.outline({cell.x + 2.0, cell.y + 2.0, cell.width - 4.0, cell.height - 4.0}, 6.0, 1.0);
    }
    const size_t most = contents_.has_long_names ? 2 : 1;
    const std::vector<std::string> lines = canvas.lines(knob(at).parameter.name, kSmall, inside.width, most);
    double baseline = cell.y + 8.0 + layout_.name_height - 3.0 - kLine * static_cast<double>(lines.size() - 1);
    canvas.color(at == hovered_ || at == held_.knob ? kText : kQuiet);
    for (const std::string& line : lines) {
        canvas.text(line, kSmall, inside, baseline, Align::middle);
        baseline += kLine;
    }
    draw_dial(canvas, at, cell.middle_x(), cell.y + layout_.name_height + 10.0 + kDial + 3.0);
    canvas.color(kText);
    canvas.text(value_text(at), kSmall, inside, cell.y + layout_.name_height + 10.0 + 2.0 * kDial + 20.0,
                Align::middle);
}

void Panel::draw_dial(Canvas& canvas, size_t at, double x, double y) const {
    const double place = kFrom + kAll * position(at);
    // A range with zero inside is filled from there.
    const Knob& of = knob(at);
    const double zero = std::clamp(of.to_0to1(of.of_plain(std::max(of.parameter.minimum, 0.0))), 0.0, 1.0);
    const double from = of.parameter.minimum < 0.0 && of.parameter.maximum > 0.0 ? kFrom + kAll * zero : kFrom;
    canvas.color(kTrack);
    canvas.arc(x, y, kDial - 2.0, kFrom, kFrom + kAll, 4.0);
    canvas.color(is_bypassed() ? kQuiet : kAccent);
    if (std::abs(place - from) > 1e-3) {
        canvas.arc(x, y, kDial - 2.0, std::min(from, place), std::max(from, place), 4.0);
    }
    canvas.color(at == hovered_ || at == held_.knob ? 0x46505a : 0x363e46);
    canvas.disc(x, y, kDial - 7.0);
    canvas.color(kText);
    canvas.line(x + 6.0 * std::cos(place), y + 6.0 * std::sin(place), x + 14.0 * std::cos(place),
                y + 14.0 * std::sin(place), 2.5);
    for (int step = 0; of.steps() > 0 && of.steps() <= kMostTicks && step <= of.steps(); ++step) {
        const double angle = kFrom + kAll * step / of.steps();
        canvas.color(kQuiet);
        canvas.disc(x + (kDial + 4.0) * std::cos(angle), y + (kDial + 4.0) * std::sin(angle), 1.2);
    }
}

void Panel::draw_meter(Canvas& canvas) const {
    const Box& meter = layout_.meter;
    const double numbers = 56.0;
    const double width = meter.width - numbers;
    for (size_t channel = 0; channel < levels_.size(); ++channel) {
        const Level& level = levels_[channel];
        const Box bar = {meter.x, meter.y + 8.0 * static_cast<double>(channel), width, 6.0};
        canvas.color(kTrack);
        canvas.fill(bar, 2.0);
        const double lit = width * along(level.db), loud = width * along(0.0);
        if (lit > 4.0) {
            canvas.color(kAccent);
            canvas.fill({bar.x, bar.y, std::min(lit, loud), bar.height}, 2.0);
        }
        if (lit > loud) {
            canvas.color(kClipped);
            canvas.fill({bar.x + loud, bar.y, lit - loud, bar.height}, 2.0);
        }
        canvas.color(kGround);
        canvas.fill({bar.x + loud, bar.y, 1.0, bar.height});
        if (level.highest > kLowestDb) {
            canvas.color(level.highest > 0.0 ? kClipped : kText);
            canvas.fill({bar.x + std::max(width * along(level.highest) - 2.0, 0.0), bar.y, 2.0, bar.height});
        }
    }
    canvas.color(kQuiet);
    for (const int db : {-60, -40, -20, 0}) {
        const Box around = {meter.x + width * along(db) - (db == -60 ? 0.0 : 16.0), 0.0, 32.0, 0.0};
        canvas.text(level_text(db).substr(0, level_text(db).find('.')), kTiny, around, meter.y + 26.0,
                    db == -60 ? Align::left : Align::middle);
    }
    const double highest = std::max(levels_[0].highest, levels_[1].highest);
    canvas.color(highest > 0.0 ? kClipped : kText);
    canvas.text(level_text(highest), kSmall, {meter.x + width + 4.0, 0.0, numbers - 4.0, 0.0}, meter.y + 11.0,
                Align::right);
}

void Panel::draw_facts(Canvas& canvas) const {
    const Box& facts = layout_.facts;
    canvas.color(kQuiet);
    canvas.text(facts_.latency, kSmall, facts, facts.y + 14.0, Align::right);
    canvas.text(facts_.load.empty() ? "Not playing" : facts_.load, kSmall, facts, facts.y + 31.0, Align::right);
}

}  // namespace neutone_like::plugin
