#include "state_text.hpp"

#include <charconv>

#include "model/json.hpp"

namespace neutone_like::plugin {

namespace {

constexpr const char* kVersion = "neutone_like_plugin";
constexpr const char* kPlugin = "plugin";
constexpr const char* kParameters = "parameters";
constexpr const char* kBypass = "bypass";

std::string quoted(const std::string& text) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string written = "\"";
    for (const char each : text) {
        const auto byte = static_cast<unsigned char>(each);
        if (byte < 0x20) {
            written += std::string("\\u00") + kDigits[byte / 16] + kDigits[byte % 16];
        } else {
            if (each == '"' || each == '\\') written += '\\';
            written += each;
        }
    }
    return written + "\"";
}

// Exactly, and whatever the host's locale is.
std::string number(double value) {
    char digits[32];
    return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

// Another version's may mean anything, another plugin's knobs may have our names.
bool is_ours(const Content& content, const Json& json) {
    const Json* version = json.find(kVersion);
    const Json* plugin = json.find(kPlugin);
    const Json* parameters = json.find(kParameters);
    return version != nullptr && version->kind == Json::Kind::number && version->number == 1.0 &&
           parameters != nullptr && parameters->kind == Json::Kind::object &&
           (plugin == nullptr || (plugin->kind == Json::Kind::text && plugin->text == content.identity.id));
}

double value_in(const Json* json, const Knob& knob) {
    if (json == nullptr || json->kind != Json::Kind::number) return knob.parameter.default_value;
    double exact = json->number;
    std::from_chars(json->written.data(), json->written.data() + json->written.size(), exact);
    return knob.nearest(exact);
}

}  // namespace

std::string write_state(const Content& content, const std::vector<double>& values) {
    std::string text = std::string("{\"") + kVersion + "\": 1, \"" + kPlugin + "\": " + quoted(content.identity.id) +
                       ", \"version\": " + quoted(content.identity.version) + ", \"" + kParameters + "\": {";
    for (size_t knob = 0; knob < content.bypass(); ++knob) {
        text += (knob == 0 ? "" : ", ") + quoted(content.knobs[knob].parameter.name) + ": " + number(values[knob]);
    }
    return text + "}, \"" + kBypass + "\": " + number(values[content.bypass()]) + "}\n";
}

bool read_state(const Content& content, std::string_view text, std::vector<double>& values) {
    Json json;
    std::string problem;
    if (!read_json(text, json, problem) || !is_ours(content, json)) return false;
    const Json* parameters = json.find(kParameters);
    values.clear();
    for (const Knob& knob : content.knobs) {
        const Json* found = parameters->find(knob.parameter.name);
        values.push_back(value_in(knob.is_bypass ? json.find(kBypass) : found, knob));
    }
    return true;
}

}  // namespace neutone_like::plugin
