// What the virtual audio device is told, and what it reports.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "engine/device.hpp"
#include "handles.hpp"

namespace neutone_like {

void bind_device(nb::module_& module) {
    nb::class_<DevicePlan>(module, "DevicePlan")
        .def(
            "__init__",
            [](DevicePlan* plan, const SessionHandle& handle) {
                new (plan) DevicePlan();
                plan->session = handle.session;
            },
            nb::keep_alive<1, 2>())
        .def_rw("callbacks", &DevicePlan::callbacks)
        .def(
            "set_input", [](DevicePlan& plan, const AudioIn& audio) { plan.input = to_channels(audio); },
            nb::arg("audio").noconvert())
        .def("add_change", [](DevicePlan& plan, int64_t sample, int index,
                              float value) { plan.changes.push_back({sample, index, value}); })
        .def_rw("record_output", &DevicePlan::record_output)
        .def_rw("realtime_priority", &DevicePlan::realtime_priority)
        .def_rw("paced", &DevicePlan::paced)
        .def_rw("jitter_seconds", &DevicePlan::jitter_seconds)
        .def_rw("vary_blocks", &DevicePlan::vary_blocks)
        .def_rw("seed", &DevicePlan::seed)
        .def_rw("companion", &DevicePlan::companion);

    nb::class_<DeviceReport>(module, "DeviceReport")
        .def_ro("callbacks", &DeviceReport::callbacks)
        .def_ro("samples", &DeviceReport::samples)
        .def_ro("seconds", &DeviceReport::seconds)
        .def_ro("deadline_misses", &DeviceReport::deadline_misses)
        .def_ro("underruns", &DeviceReport::underruns)
        .def_ro("missing_samples", &DeviceReport::missing_samples)
        .def_ro("waits", &DeviceReport::waits)
        .def_prop_ro("waited_seconds",
                     [](const DeviceReport& report) { return 1e-9 * static_cast<double>(report.waited_ns); })
        .def_ro("cpu_seconds", &DeviceReport::cpu_seconds)
        .def_ro("realtime_priority", &DeviceReport::realtime_priority)
        .def_ro("block_sizes", &DeviceReport::block_sizes)
        .def_ro("error", &DeviceReport::error)
        .def("callback_time_ns", [](const DeviceReport& report) { return to_tuple(*report.callback_time); })
        .def("wake_lateness_ns", [](const DeviceReport& report) { return to_tuple(*report.wake_lateness); })
        .def("output", [](const DeviceReport& report) { return to_array(report.output); });
}

}  // namespace neutone_like
