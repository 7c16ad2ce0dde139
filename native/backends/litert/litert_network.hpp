// A LiteRT file: one signature, one length of a block.
#pragma once

#include <memory>

#include "network.hpp"
#include "options.hpp"

namespace neutone_like::litert {

// What BackendTable wants to know.
struct LitertBackend {
    static constexpr const char* kName = "litert";
    static constexpr const char* kFormat = "litert";

    // Throws exchange::ExchangeError.
    static std::shared_ptr<exchange::Network> open(exchange::Sidecar sidecar, const exchange::Options& options);
};

}  // namespace neutone_like::litert
