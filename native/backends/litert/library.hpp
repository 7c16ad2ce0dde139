// LiteRT in this process: its functions, one environment, and its status codes as errors.
#pragma once

#include <memory>
#include <string>

#include "interface.hpp"
#include "options.hpp"

namespace neutone_like::litert {

// Lives for as long as the process.
class Library {
public:
    // The same for the same path. Throws exchange::ExchangeError: can't be loaded, or of a version that is not known.
    static const Library& load(const exchange::Options& options);

    explicit Library(const std::string& path);

    const Interface& functions() const noexcept { return functions_; }
    Environment* environment() const noexcept { return environment_; }

    // Throws exchange::ExchangeError with what the status means.
    static void check(Status status, const std::string& doing);

private:
    Interface functions_{};
    Environment* environment_ = nullptr;
};

}  // namespace neutone_like::litert
