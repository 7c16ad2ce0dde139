// One instance: a TorchScript module with state of its own, played as a model core or as the whole wrapper.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <string>

#include "neutone_like/backend.h"
#include "options.hpp"

namespace neutone_like::torch_backend {

// Every method is called in inference mode and may throw.
class Player {
public:
    virtual ~Player() = default;
    virtual std::unique_ptr<Player> clone() const = 0;
    virtual int64_t prepare(const nl_setup& setup) = 0;  // returns the delay in samples
    virtual void process(const nl_block& block) = 0;
    virtual void reset() = 0;
};

std::unique_ptr<Player> make_model_player(torch::jit::Module wrapper, const std::string& source);
std::unique_ptr<Player> make_wrapper_player(torch::jit::Module wrapper, const std::string& source,
                                            const Options& options);

}  // namespace neutone_like::torch_backend
