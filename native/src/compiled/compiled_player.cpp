#include "compiled/compiled_player.hpp"

#include <string>
#include <utility>

#include "signal/raise.hpp"

namespace neutone_like {

namespace {

void require(const char* what, int64_t setup, int64_t model) {
    if (setup == model) return;
    raise(EngineError(std::string(what) + ": the compiled model has " + std::to_string(model) +
                      ", it is prepared for " + std::to_string(setup) + "."));
}

void require_blocks(const compiled::Image& image, const nl_setup& setup) {
    const compiled::Facts& facts = *image.facts;
    // Where one sample can be played, any number can.
    if (compiled::takes(image, setup.fixed_block != 0 ? setup.longest_block : 1)) return;
    const std::string lengths = facts.shortest == facts.granule ? "multiples of " + std::to_string(facts.shortest)
                                                                : "multiples of " + std::to_string(facts.multiple_of) +
                                                                      " from " + std::to_string(facts.shortest) + " on";
    raise(EngineError("longest_block: the compiled model takes blocks of " + lengths + " samples, not " +
                      (setup.fixed_block != 0 ? "" : "any up to ") + std::to_string(setup.longest_block) + "."));
}

}  // namespace

CompiledPlayer::CompiledPlayer(std::shared_ptr<const CompiledModel> model)
    : instance_(std::make_unique<CompiledInstance>(std::move(model))),
      in_rows_(static_cast<size_t>(facts().in_channels)),
      out_rows_(static_cast<size_t>(facts().out_channels)) {}

CompiledPlayer::CompiledPlayer(const CompiledPlayer& other)
    : instance_(std::make_unique<CompiledInstance>(*other.instance_)),
      in_rows_(other.in_rows_.size()),
      out_rows_(other.out_rows_.size()) {}

void CompiledPlayer::prepare(const nl_setup& setup) {
    const std::shared_ptr<const CompiledModel>& model = instance_->model();
    const compiled::Image* plan = model->image_at(setup.sample_rate);
    if (plan == nullptr) {
        raise(EngineError("sample_rate: the compiled model has no plan for " + std::to_string(setup.sample_rate) +
                          " Hz."));
    }
    if (plan != &instance_->image()) instance_ = std::make_unique<CompiledInstance>(model, *plan);
    in_rows_.resize(static_cast<size_t>(facts().in_channels));
    out_rows_.resize(static_cast<size_t>(facts().out_channels));
    require("in_channels", setup.in_channels, facts().in_channels);
    require("out_channels", setup.out_channels, facts().out_channels);
    require("look_behind", setup.look_behind, facts().look_behind);
    require("parameter_count", setup.parameter_count, facts().parameters);
    require_blocks(image(), setup);
}

bool CompiledPlayer::process(const nl_block& block) noexcept {
    const int64_t stride = facts().look_behind + block.samples;
    for (size_t row = 0; row < in_rows_.size(); ++row) {
        in_rows_[row] = block.audio_in + static_cast<int64_t>(row) * stride;
    }
    for (size_t row = 0; row < out_rows_.size(); ++row) {
        out_rows_[row] = block.audio_out + static_cast<int64_t>(row) * block.samples;
    }
    return instance_->process(
        {block.samples, in_rows_.data(), out_rows_.data(), block.parameters, block.parameter_lengths});
}

}  // namespace neutone_like
