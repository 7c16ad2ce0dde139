// Plain values: what an engine and a session are told.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "engine/engine_config.hpp"
#include "signal/config.hpp"

namespace neutone_like {

void bind_config(nb::module_& module) {
    nb::enum_<Mode>(module, "Mode").value("inline", Mode::inline_).value("async", Mode::async);
    nb::enum_<LatePolicy>(module, "LatePolicy")
        .value("fade", LatePolicy::fade)
        .value("hold", LatePolicy::hold)
        .value("dry", LatePolicy::dry);

    nb::class_<ParameterSpec>(module, "ParameterSpec")
        .def(nb::init<>())
        .def_rw("name", &ParameterSpec::name)
        .def_rw("minimum", &ParameterSpec::minimum)
        .def_rw("maximum", &ParameterSpec::maximum)
        .def_rw("default_0to1", &ParameterSpec::default_0to1)
        .def_rw("categorical", &ParameterSpec::categorical)
        .def_rw("per_sample", &ParameterSpec::per_sample)
        .def_rw("smoothing_seconds", &ParameterSpec::smoothing_seconds);

    nb::class_<RateFilter>(module, "RateFilter")
        .def(nb::init<>())
        .def(
            "__init__",
            [](RateFilter* filter, int64_t up, int64_t down, const Taps& taps) {
                new (filter) RateFilter{
                    up, down, static_cast<int64_t>(taps.shape(1) / 2), {taps.data(), taps.data() + taps.size()}};
            },
            nb::arg("up"), nb::arg("down"), nb::arg("taps").noconvert());

    nb::class_<SessionConfig>(module, "SessionConfig")
        .def(nb::init<>())
        .def_rw("sample_rate", &SessionConfig::sample_rate)
        .def_rw("block_size", &SessionConfig::block_size)
        .def_rw("channels", &SessionConfig::channels)
        .def_rw("varying_blocks", &SessionConfig::varying_blocks)
        .def_rw("model_rate", &SessionConfig::model_rate)
        .def_rw("model_block", &SessionConfig::model_block)
        .def_rw("in_channels", &SessionConfig::in_channels)
        .def_rw("out_channels", &SessionConfig::out_channels)
        .def_rw("look_behind", &SessionConfig::look_behind)
        .def_rw("parameters", &SessionConfig::parameters)
        .def_rw("filter_in", &SessionConfig::filter_in)
        .def_rw("filter_out", &SessionConfig::filter_out)
        .def_rw("embedded", &SessionConfig::embedded)
        .def_rw("embedded_growth", &SessionConfig::embedded_growth)
        .def_rw("mode", &SessionConfig::mode)
        .def_rw("late_policy", &SessionConfig::late_policy)
        .def_rw("instances", &SessionConfig::instances)
        .def_rw("max_inference_seconds", &SessionConfig::max_inference_seconds)
        .def_rw("queue_seconds", &SessionConfig::queue_seconds)
        .def_rw("wait_fraction", &SessionConfig::wait_fraction);

    nb::class_<EngineConfig>(module, "EngineConfig")
        .def(nb::init<>())
        .def_rw("workers", &EngineConfig::workers)
        .def_rw("polling", &EngineConfig::polling)
        .def_rw("realtime_priority", &EngineConfig::realtime_priority)
        .def_rw("watchdog_seconds", &EngineConfig::watchdog_seconds);
}

}  // namespace neutone_like
