// What all instances of a plugin share: which one it is, its model, and what can be set.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "compiled/compiled_model.hpp"
#include "identity.hpp"
#include "knob.hpp"
#include "model/model_facts.hpp"

namespace neutone_like::plugin {

struct Content {
    Identity identity;
    std::shared_ptr<const CompiledModel> model;  // null: `problem` says why
    ModelFacts facts;
    std::vector<Knob> knobs;  // the model's parameters, and bypass as the last one
    std::string problem;

    size_t bypass() const noexcept { return knobs.size() - 1; }
    // The index of a knob; knobs.size(): there is none.
    size_t find(uint32_t id) const noexcept;
};

// Of this binary, read when it is first asked for. It is always there: without a model sound passes through.
const Content& content();

}  // namespace neutone_like::plugin
