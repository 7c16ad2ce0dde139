// What a model file says of its inputs and outputs, and whether that is what its sidecar says.
#pragma once

#include <string>
#include <vector>

#include "element_type.hpp"
#include "sidecar.hpp"

namespace neutone_like::exchange {

struct ModelTensor {
    std::string name;
    ElementType type = ElementType::other;
    Shape shape;
};

// Throws ExchangeError: a tensor that one of the two doesn't have, or has in another shape or type.
void check_tensors(const Sidecar& sidecar, const std::vector<ModelTensor>& inputs,
                   const std::vector<ModelTensor>& outputs);

}  // namespace neutone_like::exchange
