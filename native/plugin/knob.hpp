// What a host shows, automates and saves: a parameter of the model, or bypass.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/parameter.hpp"

namespace neutone_like::plugin {

struct Knob {
    Parameter parameter;
    uint32_t id = 0;  // of its name, so that it stays when a later version of the model has other knobs beside it
    bool is_bypass = false;

    // 0: a knob; else how many steps lie between the lowest and the highest value.
    int steps() const noexcept {
        return static_cast<int>(parameter.labels.size()) - (parameter.is_categorical() ? 1 : 0);
    }

    // The nearest value that it can have; its default for NaN.
    double nearest(double value) const noexcept;
    double from_0to1(double value) const noexcept;
    double to_0to1(double value) const noexcept;

    // "24 dB", a label; without the unit "24".
    std::string text(double value, bool with_unit) const;
    // False: it is no such text.
    bool value_of(std::string_view text, double& value) const noexcept;
};

// Those of a model, and bypass.
std::vector<Knob> knobs_of(const std::vector<Parameter>& parameters);

}  // namespace neutone_like::plugin
