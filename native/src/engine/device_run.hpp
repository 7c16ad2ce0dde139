// Devices that play at once, each on a thread of its own.
#pragma once

#include <vector>

#include "engine/device.hpp"
#include "engine/stop_request.hpp"

namespace neutone_like {

// Returns when every device has ended: those marked as companions play to their own end, or where none of the
// others did, end with the last of them. `stop` closes the sessions of those others, and that ends the run. Throws EngineError for a plan that can't be played, for a session that
// another run plays, and when a session in inline mode has not returned from a callback for `watchdog_seconds`: its
// device is left behind.
std::vector<DeviceReport> run_devices(const std::vector<DevicePlan>& plans, double watchdog_seconds,
                                      const StopRequest& stop);

}  // namespace neutone_like
