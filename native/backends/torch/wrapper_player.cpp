// The whole wrapper of an artifact, called as a plugin calls it: it adapts rates, blocks and parameters itself.
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <stdexcept>

#include "player.hpp"
#include "tensors.hpp"

namespace neutone_like::torch_backend {

namespace {

const char* const kWrapperMethods[] = {"forward", "reset", "set_daw_sample_rate_and_buffer_size",
                                       "calc_buffering_delay_samples", "calc_model_delay_samples"};
constexpr int64_t kForeignRows = 4;  // the Neutone SDK's wrappers want all four rows

class WrapperPlayer final : public Player {
public:
    WrapperPlayer(torch::jit::Module wrapper, Options options)
        : wrapper_(std::move(wrapper)),
          forward_(wrapper_.get_method("forward")),
          reset_(wrapper_.get_method("reset")),
          options_(options),
          takes_any_block_(wrapper_.find_method("latency_samples").has_value()) {}

    std::unique_ptr<Player> clone() const override {
        auto copy = std::make_unique<WrapperPlayer>(wrapper_.deepcopy(), options_);
        copy->setup_ = setup_;
        return copy;
    }

    int64_t prepare(const nl_setup& setup) override {
        if (!setup.fixed_block && !takes_any_block_) {
            throw std::invalid_argument(
                "This wrapper loses samples when the host's blocks vary, because it was not "
                "made by neutone_like. Promise one block size.");
        }
        setup_ = setup;
        setup_.parameter_names = nullptr;  // the caller's
        setup_.look_behind = 0;
        // Our own wrapper is told of blocks that vary by a block of 1.
        const int64_t block = setup.fixed_block ? setup.longest_block : 1;
        wrapper_.get_method("set_daw_sample_rate_and_buffer_size")(
            {int64_t{setup.sample_rate}, block, options_.model_rate, options_.model_block});
        reset();
        return delay();
    }

    void process(const nl_block& block) override {
        const at::Tensor input = audio_tensor(block.audio_in, setup_.in_channels, block.samples);
        const c10::IValue output = forward_({input, parameter_rows(block)});
        copy_output(output, input, setup_, block.samples, "forward", block.audio_out);
    }

    void reset() override { reset_({}); }

private:
    int64_t delay() {
        return wrapper_.get_method("calc_buffering_delay_samples")({}).toInt() +
               wrapper_.get_method("calc_model_delay_samples")({}).toInt();
    }

    // [rows, samples], or None without parameters.
    c10::IValue parameter_rows(const nl_block& block) const {
        const int64_t count = setup_.parameter_count;
        if (count == 0) return {};
        const int64_t rows = takes_any_block_ ? count : std::max(count, kForeignRows);
        at::Tensor values = at::zeros({rows, block.samples}, at::kFloat);
        float* row = values.mutable_data_ptr<float>();
        for (int64_t index = 0; index < count; ++index, row += block.samples) {
            const float* source = block.parameters[index];
            if (block.parameter_lengths[index] == block.samples) {
                std::copy_n(source, block.samples, row);
            } else {
                std::fill_n(row, block.samples, *source);
            }
        }
        return values;
    }

    torch::jit::Module wrapper_;
    torch::jit::Method forward_;
    torch::jit::Method reset_;
    Options options_;
    bool takes_any_block_;
    nl_setup setup_{};
};

}  // namespace

std::unique_ptr<Player> make_wrapper_player(torch::jit::Module wrapper, const std::string& source,
                                            const Options& options) {
    for (const char* method : kWrapperMethods) {
        if (!wrapper.find_method(method)) {
            throw std::invalid_argument(source + " has no method " + method + ", so it is no live artifact.");
        }
    }
    wrapper.eval();
    return std::make_unique<WrapperPlayer>(std::move(wrapper), options);
}

}  // namespace neutone_like::torch_backend
