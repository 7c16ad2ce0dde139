// Where everything in the panel lies, in units that are pixels at a scale of 1.
#pragma once

#include <vector>

#include "canvas.hpp"

namespace neutone_like::plugin {

struct Size {
    int width = 0;
    int height = 0;
};

// What decides it.
struct Contents {
    size_t knobs = 0;  // without bypass
    bool has_long_names = false;
    bool has_message = false;
};

struct PanelLayout {
    double scale = 1.0;  // pixels of a unit
    Box all;             // the whole window
    Box title, subtitle, bypass, message;
    std::vector<Box> cells;  // of the knobs
    double name_height = 0.0;
    Box meter, facts;
};

// How large a window should be for them.
Size natural_size(const Contents& contents, double scale);
// The largest possible in a window of this size.
PanelLayout panel_layout(const Contents& contents, Size window);

}  // namespace neutone_like::plugin
