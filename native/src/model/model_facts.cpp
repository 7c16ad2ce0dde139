#include "model/model_facts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "model/host_error.hpp"
#include "model/json.hpp"
#include "signal/raise.hpp"

namespace neutone_like {

namespace {

constexpr int kSchemaVersion = 1;
constexpr size_t kLongestText = 64u << 20;
constexpr int kMostRate = 384000;
constexpr int kMostBlock = 1 << 20;
constexpr int kMostChannels = 64;
constexpr size_t kMostChoices = 1024;

// Part of a file, by the path that leads there, so that a message can say which.
class Field {
public:
    Field(const Json& value, std::string path) : value_(value), path_(std::move(path)) {}

    bool has(const char* key) const {
        const Json* found = value_.find(key);
        return found != nullptr && found->kind != Json::Kind::null;
    }

    Field at(const char* key) const {
        require(Json::Kind::object, "an object");
        const Json* found = value_.find(key);
        if (found == nullptr) refuse(path_ + (path_.empty() ? "" : ".") + key + " is missing");
        return {*found, path_ + (path_.empty() ? "" : ".") + key};
    }

    std::vector<Field> items() const {
        if (value_.kind != Json::Kind::list || value_.items.size() > kMostChoices)
            fail("a list of at most " + std::to_string(kMostChoices));
        std::vector<Field> fields;
        for (size_t index = 0; index < value_.items.size(); ++index) {
            fields.emplace_back(value_.items[index], path_ + "[" + std::to_string(index) + "]");
        }
        return fields;
    }

    // In the order of their keys.
    std::vector<Field> members() const {
        require(Json::Kind::object, "an object");
        std::vector<std::string> keys;
        for (const auto& [key, value] : value_.members) keys.push_back(key);
        std::sort(keys.begin(), keys.end());
        keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
        std::vector<Field> fields;
        for (const std::string& key : keys) fields.emplace_back(*value_.find(key), path_ + "." + key);
        return fields;
    }

    std::string text() const {
        require(Json::Kind::text, "a text");
        return value_.text;
    }

    bool truth() const {
        require(Json::Kind::truth, "true or false");
        return value_.truth;
    }

    int whole(int lowest, int highest) const {
        const bool is_whole = value_.kind == Json::Kind::number && value_.number == std::floor(value_.number);
        if (!is_whole || value_.number < lowest || value_.number > highest)
            fail("a whole number in " + std::to_string(lowest) + ".." + std::to_string(highest));
        return static_cast<int>(value_.number);
    }

    double number() const {
        require(Json::Kind::number, "a finite number");
        return value_.number;
    }

    void require(Json::Kind kind, const char* expected) const {
        if (value_.kind != kind) fail(expected);
    }

    [[noreturn]] void fail(const std::string& expected) const {
        std::string got(value_.written.substr(0, 80));
        if (value_.written.size() > 80) got = got.substr(0, 77) + "...";
        refuse(path_ + " must be " + expected + ", got " + got);
    }

    [[noreturn]] static void refuse(const std::string& what) {
        raise(HostError(NL_BAD_MODEL, "metadata.json: " + what + ". Export the model again."));
    }

private:
    const Json& value_;
    std::string path_;
};

std::vector<int> whole_numbers(const Field& list, int highest) {
    std::vector<int> numbers;
    for (const Field& item : list.items()) numbers.push_back(item.whole(1, highest));
    return numbers;
}

void check(const Parameter& parameter, const Field& where) {
    if (parameter.name.empty()) where.fail("a parameter with a name");
    if (!(parameter.minimum < parameter.maximum)) where.fail("a parameter whose minimum is below its maximum");
    if (!parameter.allows(parameter.default_value)) where.fail("a parameter whose default it allows");
    if (!(parameter.smoothing_seconds >= 0.0 && parameter.smoothing_seconds <= 1.0))
        where.fail("smoothed within 1 second");
}

void take_labels(Parameter& parameter, const Field& list) {
    for (const Field& item : list.items()) parameter.labels.push_back(item.text());
    if (parameter.labels.size() < 2) list.fail("two or more labels");
    parameter.maximum = static_cast<double>(parameter.labels.size() - 1);
    parameter.smoothing_seconds = 0.0;
}

// As our own section writes them down.
Parameter our_parameter(const Field& record) {
    Parameter parameter;
    parameter.name = record.at("name").text();
    parameter.description = record.at("description").text();
    parameter.default_value = record.at("default").number();
    const std::string type = record.at("type").text();
    if (type == "categorical") {
        take_labels(parameter, record.at("labels"));
    } else if (type == "continuous") {
        parameter.minimum = record.at("minimum").number();
        parameter.maximum = record.at("maximum").number();
        parameter.unit = record.at("unit").text();
        parameter.per_sample = record.at("rate").text() == "sample";
        parameter.smoothing_seconds = record.at("smoothing_seconds").number();
    } else {
        record.at("type").fail("'continuous' or 'categorical' in a live model");
    }
    check(parameter, record);
    return parameter;
}

// As the format's slots say it, for files of other makers.
Parameter slot_parameter(const Field& slot) {
    Parameter parameter;
    parameter.name = slot.at("name").text();
    parameter.description = slot.at("description").text();
    parameter.default_value = slot.at("default_value").number();
    if (slot.at("type").text() == "categorical" && slot.has("labels")) {
        take_labels(parameter, slot.at("labels"));
    } else {
        if (slot.has("min_value")) parameter.minimum = slot.at("min_value").number();
        if (slot.has("max_value")) parameter.maximum = slot.at("max_value").number();
    }
    check(parameter, slot);
    return parameter;
}

void take_our_section(ModelFacts& facts, const Field& section) {
    const int version = section.at("schema_version").whole(1, std::numeric_limits<int>::max());
    if (version > kSchemaVersion) {
        raise(HostError(NL_BAD_MODEL, "metadata.json was made for schema version " + std::to_string(version) +
                                          "; this library reads up to version " + std::to_string(kSchemaVersion) +
                                          ". Use a newer one."));
    }
    facts.is_ours = true;
    facts.in_channels = section.at("in_channels").whole(1, kMostChannels);
    facts.out_channels = section.at("out_channels").whole(1, kMostChannels);
    const Field quality = section.at("quality");
    if (quality.text() != "high" && quality.text() != "fast") quality.fail("'high' or 'fast'");
    facts.quality = quality.text() == "high" ? Quality::high : Quality::fast;
    for (const Field& record : section.at("parameters").items()) facts.parameters.push_back(our_parameter(record));
}

void take_foreign_parts(ModelFacts& facts, const Field& metadata) {
    facts.in_channels = metadata.at("is_input_mono").truth() ? 1 : 2;
    facts.out_channels = metadata.at("is_output_mono").truth() ? 1 : 2;
    for (const Field& slot : metadata.at("neutone_parameters").members()) {
        if (slot.at("used").truth()) facts.parameters.push_back(slot_parameter(slot));
    }
}

Json parse(const std::string& text) {
    if (text.size() > kLongestText) Field::refuse("it is longer than " + std::to_string(kLongestText) + " bytes");
    Json json;
    std::string problem;
    if (!read_json(text, json, problem)) Field::refuse("it is not JSON: " + problem);
    return json;
}

}  // namespace

ModelFacts read_model_facts(const std::string& metadata_json) {
    const Json json = parse(metadata_json);
    const Field metadata(json, "");
    if (!metadata.has("is_input_mono") && metadata.has("audio_out_channels")) {
        raise(HostError(NL_BAD_MODEL,
                        "This model is not live: it takes whole files, and can't be played block by block. "
                        "Render with it: neutone-like render."));
    }
    ModelFacts facts;
    facts.name = metadata.at("model_name").text();
    facts.version = metadata.at("model_version").text();
    facts.description = metadata.at("model_short_description").text();
    facts.sample_rates = whole_numbers(metadata.at("native_sample_rates"), kMostRate);
    facts.block_sizes = whole_numbers(metadata.at("native_buffer_sizes"), kMostBlock);
    facts.look_behind = metadata.at("look_behind_samples").whole(0, kMostBlock);
    if (metadata.has("neutone_like")) {
        take_our_section(facts, metadata.at("neutone_like"));
    } else {
        take_foreign_parts(facts, metadata);
    }
    return facts;
}

}  // namespace neutone_like
