#include "tensors.hpp"

#include <ATen/ops/empty.h>

#include <cstring>
#include <sstream>

#include "report.hpp"

namespace neutone_like::torch_backend {

namespace {

std::string kind_of(const c10::IValue& output) {
    if (!output.isTensor()) return "a " + output.tagKind();
    const at::Tensor& tensor = output.toTensor();
    std::ostringstream text;
    text << (tensor.scalar_type() == at::kFloat ? "float32" : "another type") << " of shape " << tensor.sizes();
    if (!tensor.device().is_cpu()) text << " on " << tensor.device();
    return text.str();
}

bool fits(const c10::IValue& output, int64_t channels, int64_t samples) {
    if (!output.isTensor()) return false;
    const at::Tensor& tensor = output.toTensor();
    return tensor.dim() == 2 && tensor.size(0) == channels && tensor.size(1) == samples &&
           tensor.scalar_type() == at::kFloat && tensor.device().is_cpu();
}

}  // namespace

at::Tensor audio_tensor(const float* audio, int64_t channels, int64_t samples) {
    at::Tensor tensor = at::empty({channels, samples}, at::kFloat);
    std::memcpy(tensor.mutable_data_ptr<float>(), audio, sizeof(float) * static_cast<size_t>(channels * samples));
    return tensor;
}

at::Tensor parameter_tensor(const float* values, int64_t length) {
    at::Tensor tensor = at::empty({length}, at::kFloat);
    std::memcpy(tensor.mutable_data_ptr<float>(), values, sizeof(float) * static_cast<size_t>(length));
    return tensor;
}

void copy_output(const c10::IValue& output, const at::Tensor& input, const nl_setup& setup, int64_t samples,
                 const char* method, float* destination) {
    if (!fits(output, setup.out_channels, samples)) {
        std::ostringstream message;
        message << method << " must return float32 of shape (" << setup.out_channels << ", " << samples
                << ") for input of shape " << input.sizes() << ", got " << kind_of(output)
                << ". Return as many samples as are new: the input's length less look_behind_samples="
                << setup.look_behind << ".";
        throw WrongShape(message.str());
    }
    const at::Tensor whole = output.toTensor().contiguous();
    std::memcpy(destination, whole.const_data_ptr<float>(), sizeof(float) * static_cast<size_t>(whole.numel()));
}

}  // namespace neutone_like::torch_backend
