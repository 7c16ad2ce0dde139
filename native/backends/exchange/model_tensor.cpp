#include "model_tensor.hpp"

#include <algorithm>

#include "exchange_error.hpp"

namespace neutone_like::exchange {

namespace {

bool fits(const Shape& expected, const Shape& shape) {
    if (expected.size() != shape.size()) return false;
    for (size_t index = 0; index < shape.size(); ++index) {
        // What may be any must be so in the file; what is fixed may be.
        if (shape[index] >= 0 && shape[index] != expected[index]) return false;
    }
    return true;
}

// One side of a file: finds what the sidecar names there, and knows afterwards what it left out.
class Side {
public:
    Side(const std::string& path, const char* kind, const std::vector<ModelTensor>& tensors)
        : path_(path), kind_(kind), tensors_(tensors) {}

    void expect(const std::string& name, const std::string& what, ElementType type, const Shape& shape) {
        const auto found =
            std::find_if(tensors_.begin(), tensors_.end(), [&](auto& each) { return each.name == name; });
        if (found == tensors_.end()) {
            throw ExchangeError(path_ + " has no " + kind_ + " \"" + name + "\", which its sidecar names for " + what +
                                "; it has " + names() + ".");
        }
        if (found->type != type || !fits(shape, found->shape)) {
            throw ExchangeError(path_ + ": the " + kind_ + " \"" + name + "\" for " + what + " is " + text(*found) +
                                ", and must be " + text({name, type, shape}) + " by the sidecar.");
        }
        expected_.push_back(name);
    }

    void refuse_others() const {
        for (const ModelTensor& tensor : tensors_) {
            if (std::find(expected_.begin(), expected_.end(), tensor.name) != expected_.end()) continue;
            throw ExchangeError(path_ + " has an " + kind_ + " \"" + tensor.name +
                                "\" that its sidecar doesn't name, so that nobody knows what it is for. Export the "
                                "model again with neutone_like, or add it to the sidecar.");
        }
    }

private:
    static std::string text(const ModelTensor& tensor) {
        return std::string(type_name(tensor.type)) + " " + to_text(tensor.shape);
    }
    std::string names() const {
        std::string all;
        for (const ModelTensor& tensor : tensors_) all += (all.empty() ? "\"" : ", \"") + tensor.name + "\"";
        return all.empty() ? "none" : all;
    }

    const std::string& path_;
    std::string kind_;
    const std::vector<ModelTensor>& tensors_;
    std::vector<std::string> expected_;
};

}  // namespace

void check_tensors(const Sidecar& sidecar, const std::vector<ModelTensor>& inputs,
                   const std::vector<ModelTensor>& outputs) {
    const int64_t samples = sidecar.block_samples.value_or(-1);
    const int64_t with_past = samples < 0 ? -1 : samples + sidecar.look_behind;
    Side in(sidecar.path, "input", inputs), out(sidecar.path, "output", outputs);
    in.expect(sidecar.audio_input, "the audio", ElementType::float32, {sidecar.in_channels, with_past});
    out.expect(sidecar.audio_output, "the audio", ElementType::float32, {sidecar.out_channels, samples});
    for (const Parameter& parameter : sidecar.parameters) {
        const Shape shape{parameter.per_sample ? samples : 1};
        in.expect(parameter.input, "the parameter \"" + parameter.name + "\"", ElementType::float32, shape);
    }
    for (const State& state : sidecar.states) {
        in.expect(state.input, "the state \"" + state.name + "\"", state.type, state.shape);
        out.expect(state.output, "the state \"" + state.name + "\"", state.type, state.shape);
    }
    in.refuse_others();
    out.refuse_others();
}

}  // namespace neutone_like::exchange
