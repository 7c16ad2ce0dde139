// A session of ONNX Runtime, bound to the memory of one instance.
#pragma once

#include <memory>

#include "buffers.hpp"
#include "library.hpp"
#include "network.hpp"
#include "sidecar.hpp"

namespace neutone_like::onnxruntime {

// Everything given must outlive it; the session is held. Throws exchange::ExchangeError.
std::unique_ptr<exchange::Call> make_onnx_call(const Library& library, std::shared_ptr<Session> session,
                                               const exchange::Sidecar& sidecar, const exchange::Buffers& buffers);

}  // namespace neutone_like::onnxruntime
