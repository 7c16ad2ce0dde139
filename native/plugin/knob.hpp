// What a host shows, automates and saves: a parameter of the model, or bypass.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/parameter.hpp"

namespace neutone_like::plugin {

constexpr size_t kSlots = 32;  // of the player; neutone_like/plugin/player.py has the same number

struct Knob {
    Parameter parameter;
    uint32_t id = 0;  // of its name, so that it stays when a later version of the model has other knobs beside it
    bool is_bypass = false;
    bool is_slot = false;    // of the player: a host has 0..1 for it, whichever parameter that is
    bool is_unused = false;  // a slot that the model has no parameter for

    // 0: a knob; else how many steps lie between the lowest and the highest value.
    int steps() const noexcept {
        return static_cast<int>(parameter.labels.size()) - (parameter.is_categorical() ? 1 : 0);
    }

    // What a host has as its value: a slot's 0..1, else the parameter's own unit.
    double lowest() const noexcept { return is_slot ? 0.0 : parameter.minimum; }
    double highest() const noexcept { return is_slot ? 1.0 : parameter.maximum; }
    double default_value() const noexcept { return of_plain(parameter.default_value); }

    // The nearest value that it can have; its default for NaN.
    double nearest(double value) const noexcept;
    double from_0to1(double value) const noexcept;
    double to_0to1(double value) const noexcept;
    // To the parameter's own unit, and back.
    double plain(double value) const noexcept;
    double of_plain(double plain) const noexcept;

    // "24 dB", a label; without the unit "24".
    std::string text(double value, bool with_unit) const;
    // False: it is no such text.
    bool value_of(std::string_view text, double& value) const noexcept;
};

// Those of a model, and bypass.
std::vector<Knob> knobs_of(const std::vector<Parameter>& parameters);

// The player's, which always are as many and have the same ids: the first ones are named after these parameters.
std::vector<Knob> slots_of(const std::vector<Parameter>& parameters);

}  // namespace neutone_like::plugin
