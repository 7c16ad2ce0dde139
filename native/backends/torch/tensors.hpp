// Audio and parameters on their way between the engine's buffers and a model.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include "neutone_like/backend.h"

namespace neutone_like::torch_backend {

// Copies: a model may keep what it is given, whole or as a view, and may change it.
at::Tensor audio_tensor(const float* audio, int64_t channels, int64_t samples);
at::Tensor parameter_tensor(const float* values, int64_t length);

// Checks shape and type, then writes [channels][samples]. Throws WrongShape; `look_behind` is for its advice.
void copy_output(const c10::IValue& output, const at::Tensor& input, const nl_setup& setup, int64_t samples,
                 const char* method, float* destination);

}  // namespace neutone_like::torch_backend
