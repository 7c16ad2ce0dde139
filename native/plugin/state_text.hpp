// A plugin's state: JSON that names the knobs, so that another version of the model still takes what it knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "content.hpp"

namespace neutone_like::plugin {

// `values`: one a knob, in its own unit.
std::string write_state(const Content& content, const std::vector<double>& values);

// Knobs that it doesn't name have their defaults, values beyond a range become its ends. False: it is no state of this
// plugin, or one that a later neutone-like wrote differently.
bool read_state(const Content& content, std::string_view text, std::vector<double>& values);

}  // namespace neutone_like::plugin
