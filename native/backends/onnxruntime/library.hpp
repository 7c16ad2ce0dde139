// ONNX Runtime in this process: its functions, one environment, and its status codes as errors.
#pragma once

#include <memory>
#include <string>

#include "interface.hpp"

namespace neutone_like::onnxruntime {

// Lives for as long as the process: what it loads keeps threads and tables of its own.
class Library {
public:
    // The same for the same path. Throws exchange::ExchangeError: can't be loaded, or too old, or too new.
    static const Library& load(const std::string& path);

    explicit Library(const std::string& path);

    const Interface& functions() const noexcept { return *functions_; }
    const Environment* environment() const noexcept { return environment_; }
    const MemoryInfo* memory() const noexcept { return memory_; }

    // Throws exchange::ExchangeError with what the library says, and releases the status.
    void check(Status* status, const std::string& doing) const;

private:
    std::unique_ptr<Interface> functions_;
    Environment* environment_ = nullptr;
    MemoryInfo* memory_ = nullptr;
};

}  // namespace neutone_like::onnxruntime
