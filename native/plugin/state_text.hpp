// A plugin's state: JSON that names the model's parameters, so that another version of it still takes what it knows; and for
// the player which artifact it is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "content.hpp"

namespace neutone_like::plugin {

// `values`: one a knob, as hosts have them.
std::string write_state(const Content& content, const Loaded& loaded, const std::vector<Knob>& knobs,
                        const std::vector<double>& values);

// The player's part of a state.
struct SavedArtifact {
    bool is_there = false;
    std::string path;
    std::string digest;
    int worker = -1;
};

// False: it is no state of this plugin, or one that a later neutone-like wrote differently.
bool read_state(const Content& content, std::string_view text, SavedArtifact& artifact);

// Those of a text that read_state took. Knobs that it doesn't name have their defaults, values beyond a range become its ends.
std::vector<double> values_in(std::string_view text, const std::vector<Knob>& knobs);

std::vector<double> defaults_of(const std::vector<Knob>& knobs);

}  // namespace neutone_like::plugin
