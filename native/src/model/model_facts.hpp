// What a host must know of a model, read from the metadata.json inside its file.
#pragma once

#include <string>
#include <vector>

#include "model/parameter.hpp"
#include "signal/filter_design.hpp"

namespace neutone_like {

struct ModelFacts {
    std::string name;
    std::string version;
    std::string description;
    int in_channels = 1;
    int out_channels = 1;
    std::vector<int> sample_rates;  // Hz; empty: any
    std::vector<int> block_sizes;   // samples; empty: any
    int look_behind = 0;            // model samples
    std::vector<Parameter> parameters;
    Quality quality = Quality::high;
    bool is_ours = false;  // else only the file's own wrapper knows how to call the model
};

// Throws HostError that names the field, what it holds, and what is allowed.
ModelFacts read_model_facts(const std::string& metadata_json);

}  // namespace neutone_like
