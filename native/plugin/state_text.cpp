#include "state_text.hpp"

#include <charconv>

#include "model/json.hpp"

namespace neutone_like::plugin {

namespace {

constexpr const char* kVersion = "neutone_like_plugin";
constexpr const char* kPlugin = "plugin";
constexpr const char* kParameters = "parameters";
constexpr const char* kBypass = "bypass";
constexpr const char* kArtifact = "artifact";
constexpr const char* kDigest = "digest";
constexpr const char* kWorker = "worker";

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
    if (json == nullptr || json->kind != Json::Kind::number) return knob.default_value();
    double exact = json->number;
    std::from_chars(json->written.data(), json->written.data() + json->written.size(), exact);
    return knob.nearest(knob.of_plain(exact));
}

std::string text_in(const Json& json, const char* key) {
    const Json* found = json.find(key);
    return found != nullptr && found->kind == Json::Kind::text ? found->text : std::string();
}

}  // namespace

std::string write_state(const Content& content, const Loaded& loaded, const std::vector<Knob>& knobs,
                        const std::vector<double>& values) {
    std::string text = std::string("{\"") + kVersion + "\": 1, \"" + kPlugin + "\": " + quoted(content.identity.id) +
                       ", \"version\": " + quoted(content.identity.version);
    if (content.is_player()) {
        text += std::string(", \"") + kArtifact + "\": " + quoted(loaded.path) + ", \"" + kDigest +
                "\": " + quoted(loaded.digest) + ", \"" + kWorker + "\": " + (loaded.worker ? "1" : "0");
    }
    text += std::string(", \"") + kParameters + "\": {";
    for (size_t knob = 0; knob < loaded.facts.parameters.size(); ++knob) {
        text += (knob == 0 ? "" : ", ") + quoted(knobs[knob].parameter.name) + ": " +
                number(knobs[knob].plain(values[knob]));
    }
    return text + "}, \"" + kBypass + "\": " + number(values[content.bypass()]) + "}\n";
}

bool read_state(const Content& content, std::string_view text, SavedArtifact& artifact) {
    Json json;
    std::string problem;
    if (!read_json(text, json, problem) || !is_ours(content, json)) return false;
    const Json* path = json.find(kArtifact);
    artifact.is_there = path != nullptr && path->kind == Json::Kind::text;
    artifact.path = text_in(json, kArtifact);
    artifact.digest = text_in(json, kDigest);
    const Json* worker = json.find(kWorker);
    if (worker != nullptr && worker->kind == Json::Kind::number) artifact.worker = worker->number == 0.0 ? 0 : 1;
    return true;
}

std::vector<double> values_in(std::string_view text, const std::vector<Knob>& knobs) {
    Json json;
    std::string problem;
    if (!read_json(text, json, problem)) return defaults_of(knobs);
    const Json* parameters = json.find(kParameters);
    std::vector<double> values;
    for (const Knob& knob : knobs) {
        const Json* found = parameters == nullptr ? nullptr : parameters->find(knob.parameter.name);
        values.push_back(value_in(knob.is_bypass ? json.find(kBypass) : found, knob));
    }
    return values;
}

std::vector<double> defaults_of(const std::vector<Knob>& knobs) {
    std::vector<double> values;
    for (const Knob& knob : knobs) values.push_back(knob.default_value());
    return values;
}

}  // namespace neutone_like::plugin
