#include "host/parameter.hpp"

#include <algorithm>
#include <cmath>
#include <locale>
#include <sstream>

#include "host/host_error.hpp"

namespace neutone_like {

namespace {

// Hosts may have set a locale whose decimal point is a comma.
std::string number_text(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(7);
    text << value;
    return text.str();
}

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// The number that a text begins with; what follows it stays in `rest`.
bool read_number(std::string_view text, double& number, std::string& rest) {
    std::istringstream stream{std::string(text)};
    stream.imbue(std::locale::classic());
    if (!(stream >> number)) return false;
    std::getline(stream, rest, '\0');
    rest = std::string(trimmed(rest));
    return true;
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
    return number_text(value) + (unit.empty() ? "" : " " + unit);
}

double Parameter::from_text(std::string_view text) const {
    const std::string_view given = trimmed(text);
    const auto label = std::find(labels.begin(), labels.end(), given);
    if (label != labels.end()) return static_cast<double>(label - labels.begin());
    double number = 0.0;
    std::string rest;
    if (!read_number(given, number, rest) || !(rest.empty() || rest == unit) || !allows(number)) {
        throw HostError(NL_OUT_OF_RANGE,
                        "Parameter '" + name + "': " + allowed() + ", got the text '" + std::string(text) + "'.");
    }
    return number;
}

std::string Parameter::allowed() const {
    if (!is_categorical()) {
        return "allowed is " + number_text(minimum) + ".." + number_text(maximum) + (unit.empty() ? "" : " " + unit);
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
