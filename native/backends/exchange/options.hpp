// The text that these backends are created with: one "key=value" a line.
#pragma once

#include <string>

namespace neutone_like::exchange {

struct Options {
    std::string library;          // library=/path/of/libonnxruntime.so: what plays the file
    std::string library_version;  // library_version=2.3.0: of the package that it came with
    std::string artifact_sha256;  // of the model.nm that the file must belong to; empty: whichever
};

// Throws ExchangeError.
Options parse_options(const std::string& text);

}  // namespace neutone_like::exchange
