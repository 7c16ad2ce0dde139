// Offences with the C and C++ libraries' own locks; the list ends with a counter of NULL.
#pragma once

#include "control_table.hpp"

namespace neutone_like::realtime_safety {

extern const neutone_like_rt_control library_controls[];

}  // namespace neutone_like::realtime_safety
