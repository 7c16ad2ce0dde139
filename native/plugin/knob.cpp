#include "knob.hpp"

#include <algorithm>
#include <cmath>
#include <exception>

#include "signal/decimal.hpp"

namespace neutone_like::plugin {

namespace {

// FNV-1a (Fowler, Noll, Vo), without the highest bit, which VST3 keeps for hosts.
uint32_t id_of(std::string_view name) {
    uint32_t hash = 2166136261u;
    for (const char each : name) hash = (hash ^ static_cast<unsigned char>(each)) * 16777619u;
    return hash & 0x7fffffffu;
}

Knob bypass_knob() {
    Knob knob;
    knob.parameter.name = "Bypass";
    knob.parameter.description = "The input as it came, as late as the model's output.";
    knob.parameter.labels = {"Off", "On"};
    knob.is_bypass = true;
    return knob;
}

bool is_taken(const std::vector<Knob>& knobs, uint32_t id) {
    return std::any_of(knobs.begin(), knobs.end(), [id](const Knob& knob) { return knob.id == id; });
}

void add(std::vector<Knob>& knobs, Knob knob, std::string_view id_text) {
    knob.id = id_of(id_text);
    while (is_taken(knobs, knob.id)) knob.id = (knob.id + 1) & 0x7fffffffu;
    knobs.push_back(std::move(knob));
}

}  // namespace

double Knob::nearest(double value) const noexcept {
    if (std::isnan(value)) return default_value();
    const double within = std::clamp(value, lowest(), highest());
    return parameter.is_categorical() ? of_plain(plain(within)) : within;
}

double Knob::from_0to1(double value) const noexcept { return nearest(lowest() + value * (highest() - lowest())); }

double Knob::to_0to1(double value) const noexcept { return (nearest(value) - lowest()) / (highest() - lowest()); }

double Knob::plain(double value) const noexcept {
    const double own = is_slot ? parameter.minimum + value * (parameter.maximum - parameter.minimum) : value;
    return parameter.is_categorical() ? std::round(own) : own;
}

double Knob::of_plain(double plain) const noexcept {
    return is_slot ? (plain - parameter.minimum) / (parameter.maximum - parameter.minimum) : plain;
}

std::string Knob::text(double value, bool with_unit) const {
    const double known = std::clamp(plain(nearest(value)), parameter.minimum, parameter.maximum);
    return with_unit || parameter.is_categorical() ? parameter.to_text(known) : decimal_text(known);
}

bool Knob::value_of(std::string_view text, double& value) const noexcept {
    try {
        value = of_plain(parameter.from_text(text));
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

std::vector<Knob> knobs_of(const std::vector<Parameter>& parameters) {
    std::vector<Knob> knobs;
    for (const Parameter& parameter : parameters) {
        Knob knob;
        knob.parameter = parameter;
        add(knobs, knob, parameter.name);
    }
    add(knobs, bypass_knob(), "neutone-like.bypass");
    return knobs;
}

std::vector<Knob> slots_of(const std::vector<Parameter>& parameters) {
    std::vector<Knob> knobs;
    for (size_t slot = 0; slot < kSlots; ++slot) {
        const std::string name = "Knob " + std::to_string(slot + 1);
        Knob knob;
        knob.is_slot = true;
        knob.is_unused = !parameters.empty() && slot >= parameters.size();
        knob.parameter.name = name;
        knob.parameter.default_value = 0.5;
        if (slot < parameters.size()) knob.parameter = parameters[slot];
        add(knobs, knob, name);
    }
    add(knobs, bypass_knob(), "neutone-like.bypass");
    return knobs;
}

}  // namespace neutone_like::plugin
