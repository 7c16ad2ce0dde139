// An ONNX file as a session of ONNX Runtime, which any number of instances share.
#pragma once

#include <memory>

#include "library.hpp"
#include "network.hpp"
#include "options.hpp"

namespace neutone_like::onnxruntime {

// What BackendTable wants to know.
struct OnnxBackend {
    static constexpr const char* kName = "onnxruntime";
    static constexpr const char* kFormat = "onnx";

    // Throws exchange::ExchangeError.
    static std::shared_ptr<exchange::Network> open(exchange::Sidecar sidecar, const exchange::Options& options);
};

// `type` in the numbers of ONNXTensorElementDataType.
int onnx_type(exchange::ElementType type) noexcept;
exchange::ElementType type_of_onnx(int type) noexcept;

}  // namespace neutone_like::onnxruntime
