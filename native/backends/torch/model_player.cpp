// The model core of an artifact, `w2w_base`: the engine adapts rates, blocks and parameters around it.
#include <stdexcept>
#include <vector>

#include "player.hpp"
#include "tensors.hpp"

namespace neutone_like::torch_backend {

namespace {

const char* const kCore = "w2w_base";
const char* const kCoreMethods[] = {"prepare_model", "do_forward_pass", "reset_model", "model_delay_samples"};

class ModelPlayer final : public Player {
public:
    explicit ModelPlayer(torch::jit::Module model)
        : model_(std::move(model)),
          forward_(model_.get_method("do_forward_pass")),
          reset_(model_.get_method("reset_model")) {}

    std::unique_ptr<Player> clone() const override {
        auto copy = std::make_unique<ModelPlayer>(model_.deepcopy());
        copy->adopt(setup_, names_);
        return copy;
    }

    int64_t prepare(const nl_setup& setup) override {
        adopt(setup, {setup.parameter_names, setup.parameter_names + setup.parameter_count});
        model_.get_method("prepare_model")({int64_t{setup.sample_rate}, int64_t{setup.longest_block}});
        reset();
        return model_.get_method("model_delay_samples")({}).toInt();
    }

    void process(const nl_block& block) override {
        const at::Tensor input = audio_tensor(block.audio_in, setup_.in_channels, setup_.look_behind + block.samples);
        c10::Dict<std::string, at::Tensor> parameters;
        parameters.reserve(names_.size());
        for (size_t index = 0; index < names_.size(); ++index) {
            parameters.insert(names_[index], parameter_tensor(block.parameters[index], block.parameter_lengths[index]));
        }
        const c10::IValue output = forward_({input, std::move(parameters)});
        copy_output(output, input, setup_, block.samples, "do_forward_pass", block.audio_out);
    }

    void reset() override { reset_({}); }

private:
    void adopt(const nl_setup& setup, std::vector<std::string> names) {
        setup_ = setup;
        setup_.parameter_names = nullptr;  // the caller's; names_ is kept
        names_ = std::move(names);
    }

    torch::jit::Module model_;
    torch::jit::Method forward_;
    torch::jit::Method reset_;
    nl_setup setup_{};
    std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<Player> make_model_player(torch::jit::Module wrapper, const std::string& source) {
    if (!wrapper.hasattr(kCore)) {
        throw std::invalid_argument(source + " has no submodule '" + kCore + "', so it is no live artifact.");
    }
    torch::jit::Module model = wrapper.attr(kCore).toModule();
    for (const char* method : kCoreMethods) {
        if (!model.find_method(method)) {
            throw std::invalid_argument(source + " has a model without the method " + method +
                                        ". It was made by another tool: play it with part=wrapper.");
        }
    }
    model.eval();
    return std::make_unique<ModelPlayer>(std::move(model));
}

}  // namespace neutone_like::torch_backend
