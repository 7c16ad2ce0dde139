// A compiled model of LiteRT, over the memory of one instance.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "buffers.hpp"
#include "library.hpp"
#include "network.hpp"
#include "sidecar.hpp"

namespace neutone_like::litert {

struct NamedTensor {
    std::string name;
    TensorType type{};
};

// In the order of the signature.
struct Tensors {
    const std::vector<NamedTensor>& inputs;
    const std::vector<NamedTensor>& outputs;
};

// Everything given must outlive it. Throws exchange::ExchangeError.
std::unique_ptr<exchange::Call> make_litert_call(const Library& library, Model* model, const Tensors& tensors,
                                                 const exchange::Sidecar& sidecar, const exchange::Buffers& buffers);

}  // namespace neutone_like::litert
