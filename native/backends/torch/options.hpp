// The text that a backend is created with: one "key=value" a line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace neutone_like::torch_backend {

struct Options {
    bool whole_wrapper = false;          // part=model (default) or part=wrapper
    std::optional<int64_t> model_rate;   // model_rate=44100 in Hz, model_block=512 in samples: for part=wrapper, among
    std::optional<int64_t> model_block;  // those that the model has; otherwise the wrapper chooses
};

// Throws std::invalid_argument.
Options parse_options(const std::string& text);

}  // namespace neutone_like::torch_backend
