#include "sidecar.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

#include "base64.hpp"
#include "digest/sha256.hpp"
#include "exchange_error.hpp"
#include "fields.hpp"
#include "model/json.hpp"

namespace neutone_like::exchange {

namespace {

constexpr int kVersion = 1;
constexpr int kHighestRate = 768000;
constexpr int kLongestBlock = 1 << 20;
constexpr int kMostChannels = 64;
constexpr int kLongestDelay = 1 << 24;
constexpr double kMostElements = 1 << 28;  // of one state
constexpr size_t kMostDimensions = 8;

std::vector<uint8_t> read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw ExchangeError(path + " can't be read.");
    std::vector<uint8_t> data{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (file.bad()) throw ExchangeError(path + " can't be read.");
    return data;
}

std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

// A file beside the sidecar, and nothing that leads elsewhere.
std::string model_path(const Fields& fields, const std::string& sidecar_path) {
    const std::string& file = fields.text("file");
    if (file.find('/') != std::string::npos || file == "." || file == "..") fields.refuse("file", "a file's name");
    return folder_of(sidecar_path) + file;
}

std::string digest(const Fields& fields, const char* key) {
    const std::string& text = fields.text(key);
    if (text.size() != 64 || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
        fields.refuse(key, "a SHA-256 in 64 hexadecimal digits");
    }
    return text;
}

Parameter read_parameter(const Json& item, const std::string& where) {
    const Fields fields(item, where);
    Parameter parameter;
    parameter.name = fields.text("name");
    parameter.input = fields.text("input");
    const std::string& rate = fields.text("rate");
    if (rate != "block" && rate != "sample") fields.refuse("rate", "\"block\" or \"sample\"");
    parameter.per_sample = rate == "sample";
    return parameter;
}

Shape read_shape(const Fields& fields) {
    Shape shape;
    double elements = 1.0;
    for (const Json& size : fields.list("shape")) {
        const bool whole = size.kind == Json::Kind::number && size.number == std::floor(size.number);
        if (!whole || size.number < 0.0 || size.number > kMostElements) {
            fields.refuse("shape", "a list of whole numbers from 0 on");
        }
        shape.push_back(static_cast<int64_t>(size.number));
        elements *= size.number;
    }
    if (shape.size() > kMostDimensions || elements > kMostElements) {
        fields.refuse("shape", "at most " + std::to_string(kMostDimensions) + " dimensions and 2^28 numbers");
    }
    return shape;
}

State read_state(const Json& item, const std::string& where) {
    const Fields fields(item, where);
    State state;
    state.name = fields.text("name");
    state.input = fields.text("input");
    state.output = fields.text("output");
    const auto type = type_of_name(fields.text("dtype"));
    if (!type) {
        fields.refuse("dtype",
                      "\"float32\", \"float64\", \"int8\", \"uint8\", \"int16\", \"int32\", \"int64\" or \"bool\"");
    }
    state.type = *type;
    state.shape = read_shape(fields);
    const size_t bytes = static_cast<size_t>(elements_of(state.shape)) * bytes_of(state.type);
    const auto initial = fields.text_or_null("initial");
    if (!initial) {
        state.initial.assign(bytes, 0);
        return state;
    }
    auto decoded = from_base64(*initial);
    if (!decoded) fields.refuse("initial", "base64, or null for zeros");
    if (decoded->size() != bytes) {
        throw ExchangeError(fields.where("initial") + " must hold " + std::to_string(bytes) + " bytes, for " +
                            std::string(type_name(state.type)) + " " + to_text(state.shape) + ", got " +
                            std::to_string(decoded->size()) + ".");
    }
    state.initial = std::move(*decoded);
    return state;
}

void refuse_doubles(const Sidecar& sidecar, const std::string& where) {
    std::set<std::string> inputs, outputs;
    const auto once = [&](std::set<std::string>& seen, const std::string& name) {
        if (!seen.insert(name).second) throw ExchangeError(where + " names \"" + name + "\" twice.");
    };
    once(inputs, sidecar.audio_input);
    once(outputs, sidecar.audio_output);
    for (const Parameter& parameter : sidecar.parameters) once(inputs, parameter.input);
    for (const State& state : sidecar.states) once(inputs, state.input), once(outputs, state.output);
}

Sidecar read_fields(const Json& json, const std::string& path, const std::string& format) {
    const Fields fields(json, path);
    if (fields.whole("neutone_like_sidecar", 0, 1 << 30) != kVersion) {
        fields.refuse("neutone_like_sidecar", std::to_string(kVersion) + ", the version that is known here");
    }
    if (fields.text("format") != format) fields.refuse("format", "\"" + format + "\"");
    Sidecar sidecar;
    sidecar.path = model_path(fields, path);
    sidecar.file_sha256 = digest(fields, "file_sha256");
    sidecar.artifact_sha256 = digest(fields, "artifact_sha256");
    sidecar.sample_rate = fields.whole_or_null("sample_rate", 1, kHighestRate);
    sidecar.block_samples = fields.whole_or_null("block_samples", 1, kLongestBlock);
    sidecar.in_channels = fields.whole("in_channels", 1, kMostChannels);
    sidecar.out_channels = fields.whole("out_channels", 1, kMostChannels);
    sidecar.look_behind = fields.whole("look_behind_samples", 0, kLongestBlock);
    sidecar.delay_samples = fields.whole("delay_samples", 0, kLongestDelay);
    sidecar.audio_input = fields.text("audio_input");
    sidecar.audio_output = fields.text("audio_output");
    for (const Json& item : fields.list("parameters")) {
        const std::string index = std::to_string(sidecar.parameters.size());
        sidecar.parameters.push_back(read_parameter(item, fields.where("parameters") + " " + index));
    }
    for (const Json& item : fields.list("states")) {
        const std::string index = std::to_string(sidecar.states.size());
        sidecar.states.push_back(read_state(item, fields.where("states") + " " + index));
    }
    refuse_doubles(sidecar, path);
    return sidecar;
}

}  // namespace

Sidecar read_sidecar(const std::string& path, const std::string& format) {
    const std::vector<uint8_t> data = read_file(path);
    const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
    Json json;
    std::string problem;
    if (!read_json(text, json, problem)) throw ExchangeError(path + " is no JSON: " + problem + ".");
    return read_fields(json, path, format);
}

std::vector<uint8_t> read_model_file(const Sidecar& sidecar) {
    std::vector<uint8_t> data = read_file(sidecar.path);
    Sha256 sum;
    sum.add(data.data(), data.size());
    const std::string digest = sum.digest();
    if (digest != sidecar.file_sha256) {
        throw ExchangeError(sidecar.path + " is not the file that its sidecar was written for: its SHA-256 is " +
                            digest + ", the sidecar says " + sidecar.file_sha256 + ". Export the model again.");
    }
    return data;
}

}  // namespace neutone_like::exchange
