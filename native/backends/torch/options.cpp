#include "options.hpp"

#include <charconv>
#include <sstream>
#include <stdexcept>

namespace neutone_like::torch_backend {

namespace {

int64_t positive(const std::string& key, const std::string& value) {
    int64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [parsed, problem] = std::from_chars(value.data(), end, number);
    if (problem != std::errc() || parsed != end || number < 1) {
        throw std::invalid_argument("Option " + key + " must be a whole number of at least 1, got '" + value + "'.");
    }
    return number;
}

void set(Options& options, const std::string& key, const std::string& value) {
    if (key == "part" && (value == "model" || value == "wrapper")) {
        options.whole_wrapper = value == "wrapper";
    } else if (key == "part") {
        throw std::invalid_argument("Option part must be 'model' or 'wrapper', got '" + value + "'.");
    } else if (key == "model_rate") {
        options.model_rate = positive(key, value);
    } else if (key == "model_block") {
        options.model_block = positive(key, value);
    } else {
        throw std::invalid_argument("The libtorch backend has the options part, model_rate and model_block, not '" +
                                    key + "'.");
    }
}

}  // namespace

Options parse_options(const std::string& text) {
    Options options;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) continue;
        const size_t equals = line.find('=');
        if (equals == std::string::npos) throw std::invalid_argument("Expected key=value, got '" + line + "'.");
        set(options, line.substr(0, equals), line.substr(equals + 1));
    }
    if (!options.whole_wrapper && (options.model_rate || options.model_block)) {
        throw std::invalid_argument(
            "Options model_rate and model_block belong to part=wrapper; a model core is told "
            "its rate and block when it is prepared.");
    }
    return options;
}

}  // namespace neutone_like::torch_backend
