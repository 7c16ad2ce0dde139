// Where a knob's value stands on its dial: evenly over its range, but frequencies over more than a decade by octaves, as ears
// have them. A host's automation keeps the even range.
#pragma once

#include "../knob.hpp"

namespace neutone_like::plugin {

// 0..1, and back from any number.
double dial_of(const Knob& knob, double value) noexcept;
double value_at(const Knob& knob, double dial) noexcept;

}  // namespace neutone_like::plugin
