// A knob or a choice of a model, in its own unit, as 0..1, and as text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signal/config.hpp"

namespace neutone_like {

struct Parameter {
    std::string name;
    std::string description;
    std::string unit;
    double minimum = 0.0;
    double maximum = 1.0;
    double default_value = 0.0;
    std::vector<std::string> labels;  // of a choice, whose values are their indices; empty for a knob
    bool per_sample = false;
    double smoothing_seconds = 0.02;

    bool is_categorical() const noexcept { return !labels.empty(); }

    // Whether it can be set to this: in the range, and the index of a label where it has labels.
    bool allows(double value) const noexcept;
    float to_0to1(double value) const noexcept;

    // "24 dB", a label.
    std::string to_text(double value) const;
    // The reverse: "24", "24 dB", a label or its index. Throws HostError, as for a value that it doesn't allow.
    double from_text(std::string_view text) const;

    // "allowed is 0..36 dB", "allowed is one of clean, fuzz or an index in 0..1".
    std::string allowed() const;

    ParameterSpec spec() const;
};

}  // namespace neutone_like
