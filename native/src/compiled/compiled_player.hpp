// A compiled model as something that is prepared for blocks and then called with them.
#pragma once

#include <memory>
#include <vector>

#include "compiled/compiled_model.hpp"
#include "neutone_like/backend.h"

namespace neutone_like {

class CompiledPlayer {
public:
    explicit CompiledPlayer(std::shared_ptr<const CompiledModel> model);
    CompiledPlayer(const CompiledPlayer& other);  // goes on from where the other one is
    CompiledPlayer(CompiledPlayer&&) noexcept = default;
    CompiledPlayer& operator=(const CompiledPlayer&) = delete;

    // Goes on with the plan for a rate, from its beginning where that is another one. Throws EngineError, by name, where
    // there is none, or the model takes no such blocks.
    void prepare(const nl_setup& setup);
    int delay_samples() const noexcept { return facts().delay_samples; }

    // False, and nothing is played, for a number of samples that the model doesn't take.
    bool process(const nl_block& block) noexcept;
    void reset() noexcept { instance_->reset(); }

    const compiled::Image& image() const noexcept { return instance_->image(); }
    uint64_t bytes() const noexcept { return instance_->bytes(); }

private:
    const compiled::Facts& facts() const noexcept { return instance_->facts(); }

    std::unique_ptr<CompiledInstance> instance_;
    std::vector<const float*> in_rows_;
    std::vector<float*> out_rows_;
};

}  // namespace neutone_like
