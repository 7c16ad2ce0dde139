// LV2: where the window finds its plugin's knobs among the ports.
#pragma once

#include <cstdint>

#include "plugin.hpp"

namespace neutone_like::plugin::lv2 {

struct Ports {
    Plugin* plugin;
    uint32_t first_knob;
    uint32_t enabled;
};

// Of one that lv2_descriptor made.
Ports ports_of(void* instance) noexcept;

}  // namespace neutone_like::plugin::lv2
