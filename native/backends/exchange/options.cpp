#include "options.hpp"

#include <sstream>

#include "exchange_error.hpp"

namespace neutone_like::exchange {

namespace {

std::string& option_of(Options& options, const std::string& key) {
    if (key == "library") return options.library;
    if (key == "library_version") return options.library_version;
    if (key == "artifact_sha256") return options.artifact_sha256;
    throw ExchangeError("There are the options library, library_version and artifact_sha256, not '" + key + "'.");
}

}  // namespace

Options parse_options(const std::string& text) {
    Options options;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const size_t equals = line.find('=');
        if (equals == std::string::npos) throw ExchangeError("Expected key=value, got '" + line + "'.");
        option_of(options, line.substr(0, equals)) = line.substr(equals + 1);
    }
    if (options.library.empty()) throw ExchangeError("The option library says which shared object plays the file.");
    return options;
}

}  // namespace neutone_like::exchange
