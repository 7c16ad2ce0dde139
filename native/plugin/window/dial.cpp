#include "dial.hpp"

#include <cmath>

namespace neutone_like::plugin {

namespace {

bool is_by_octaves(const Parameter& parameter) noexcept {
    const bool is_frequency = parameter.unit == "Hz" || parameter.unit == "kHz";
    return is_frequency && parameter.minimum > 0.0 && parameter.maximum > 10.0 * parameter.minimum;
}

double octaves(const Parameter& parameter) noexcept { return std::log2(parameter.maximum / parameter.minimum); }

}  // namespace

double dial_of(const Knob& knob, double value) noexcept {
    if (!is_by_octaves(knob.parameter)) return knob.to_0to1(value);
    return std::log2(knob.plain(knob.nearest(value)) / knob.parameter.minimum) / octaves(knob.parameter);
}

double value_at(const Knob& knob, double dial) noexcept {
    if (!is_by_octaves(knob.parameter)) return knob.from_0to1(dial);
    return knob.nearest(knob.of_plain(knob.parameter.minimum * std::exp2(dial * octaves(knob.parameter))));
}

}  // namespace neutone_like::plugin
