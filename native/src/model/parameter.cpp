#include "model/parameter.hpp"

#include <algorithm>
#include <cmath>

#include "model/host_error.hpp"
#include "signal/decimal.hpp"
#include "signal/raise.hpp"

namespace neutone_like {

namespace {

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}  // namespace

bool Parameter::allows(double value) const noexcept {
    return value >= minimum && value <= maximum && (!is_categorical() || value == std::floor(value));
}

float Parameter::to_0to1(double value) const noexcept {
    return static_cast<float>((value - minimum) / (maximum - minimum));
}

std::string Parameter::to_text(double value) const {
    if (is_categorical()) return labels[static_cast<size_t>(value)];
    return decimal_text(value) + (unit.empty() ? "" : " " + unit);
}

double Parameter::from_text(std::string_view text) const {
    const std::string_view given = trimmed(text);
    const auto label = std::find(labels.begin(), labels.end(), given);
    if (label != labels.end()) return static_cast<double>(label - labels.begin());
    double number = 0.0;
    const size_t sign = !given.empty() && given[0] == '+' ? 1 : 0;
    const size_t length = read_decimal(given.substr(sign), number);
    const std::string_view rest = trimmed(given.substr(sign + length));
    if (length == 0 || !(rest.empty() || rest == unit) || !allows(number)) {
        raise(HostError(NL_OUT_OF_RANGE,
                        "Parameter '" + name + "': " + allowed() + ", got the text '" + std::string(text) + "'."));
    }
    return number;
}

std::string Parameter::allowed() const {
    if (!is_categorical()) {
        return "allowed is " + decimal_text(minimum) + ".." + decimal_text(maximum) + (unit.empty() ? "" : " " + unit);
    }
    std::string text = "allowed is one of ";
    for (const std::string& label : labels) text += (&label == &labels.front() ? "" : ", ") + label;
    return text + " or an index in 0.." + std::to_string(labels.size() - 1);
}

ParameterSpec Parameter::spec() const {
    ParameterSpec spec;
    spec.name = name;
    spec.minimum = minimum;
    spec.maximum = maximum;
    spec.default_0to1 = to_0to1(default_value);
    spec.categorical = is_categorical();
    spec.per_sample = per_sample;
    spec.smoothing_seconds = smoothing_seconds;
    return spec;
}

}  // namespace neutone_like
