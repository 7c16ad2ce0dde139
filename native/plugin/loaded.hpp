// A model that a plugin can play: the one at the end of its own file, or the player's from an artifact.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "compiled/compiled_model.hpp"
#include "identity.hpp"
#include "model/model_facts.hpp"

namespace neutone_like::plugin {

struct Loaded {
    std::shared_ptr<const CompiledModel> model;  // null: `problem` says why
    ModelFacts facts;
    bool worker = false;  // it has a thread of its own
    std::string path;     // of the artifact, as it was given; empty: the plugin's own
    std::string digest;   // of that artifact's model.nlc
    std::string problem;
};

Loaded own_model(const Identity& identity);

// A folder with model.nlc, a model.nm beside which one lies, or a .nlc. Takes the time of reading it; of a model that this
// process has not seen before also that of measuring it, unless `worker` says 0 or 1.
Loaded read_artifact(const std::string& path, int worker = -1);

}  // namespace neutone_like::plugin
