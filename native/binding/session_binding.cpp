// A session: audio in, audio out, without the GIL.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <optional>

#include <nanobind/stl/optional.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "engine/session.hpp"
#include "handles.hpp"
#include "interrupts.hpp"

namespace neutone_like {

namespace {

ProcessResult process(const SessionHandle& handle, const AudioIn& audio, const AudioOut& output) {
    Session& session = *handle.session;
    require_shape("channels in", audio.shape(0), static_cast<size_t>(session.config().channels));
    require_shape("channels out", output.shape(0), static_cast<size_t>(session.output_channels()));
    require_shape("samples out", output.shape(1), audio.shape(1));
    const auto in = rows(audio);
    const auto out = rows(output);
    const auto samples = static_cast<int>(audio.shape(1));
    return interruptible([&](const StopRequest&) { return session.process(in.data(), out.data(), samples); });
}

void process_offline(const SessionHandle& handle, const AudioIn& audio, const AudioOut& output,
                     const std::optional<AudioIn>& values) {
    Session& session = *handle.session;
    require_shape("channels in", audio.shape(0), static_cast<size_t>(session.config().channels));
    require_shape("channels out", output.shape(0), static_cast<size_t>(session.output_channels()));
    require_shape("samples out", output.shape(1), audio.shape(1));
    if (values) {
        require_shape("parameters", values->shape(0), session.config().parameters.size());
        require_shape("samples of parameters", values->shape(1), audio.shape(1));
    }
    const auto in = rows(audio);
    const auto out = rows(output);
    const auto automation = values ? rows(*values) : std::vector<const float*>();
    const auto samples = static_cast<int64_t>(audio.shape(1));
    interruptible([&](const StopRequest& stop) {
        session.process_offline(in.data(), out.data(), samples, values ? automation.data() : nullptr, stop);
    });
}

void require_parameter(const Session& session, int index) {
    const auto count = session.config().parameters.size();
    if (index < 0 || static_cast<size_t>(index) >= count) throw nb::index_error("no such parameter");
}

// A Python model may hold, over however many objects, the session that plays it: the garbage collector must see the
// whole circle.
int traverse(PyObject* self, visitproc visit, void* arg) {
    Py_VISIT(Py_TYPE(self));
    if (!nb::inst_ready(self)) return 0;
    for (const auto& model : nb::inst_ptr<SessionHandle>(self)->python_models) Py_VISIT(model->object.ptr());
    return 0;
}

int clear(PyObject* self) {
    auto* handle = nb::inst_ptr<SessionHandle>(self);
    handle->session->let_go();
    for (const auto& model : handle->python_models) model->object = nb::none();
    return 0;
}

PyType_Slot kSessionSlots[] = {
    {Py_tp_traverse, reinterpret_cast<void*>(traverse)},
    {Py_tp_clear, reinterpret_cast<void*>(clear)},
    {0, nullptr},
};

void bind_statistics(nb::module_& module) {
    auto stats = nb::class_<SessionStats>(module, "SessionStats");
#define NL_BIND(name) stats.def_ro(#name, &SessionStats::name);
    NL_SESSION_COUNTERS(NL_BIND)
#undef NL_BIND
    stats.def_ro("hung", &SessionStats::hung)
        .def_prop_ro("waited_seconds",
                     [](const SessionStats& from) { return 1e-9 * static_cast<double>(from.waited_ns); })
        .def_prop_ro("last_error", [](const SessionStats& from) { return to_text(from.last_error.c_str()); })
        .def_ro("max_inference_seconds", &SessionStats::max_inference_seconds)
        .def_ro("worker_seconds", &SessionStats::worker_seconds);

    nb::class_<LatencyParts>(module, "LatencyParts")
        .def_ro("resample_in", &LatencyParts::resample_in)
        .def_ro("buffering", &LatencyParts::buffering)
        .def_ro("model", &LatencyParts::model)
        .def_ro("resample_out", &LatencyParts::resample_out)
        .def_ro("inference", &LatencyParts::inference)
        .def_ro("total", &LatencyParts::total);
}

}  // namespace

void bind_session(nb::module_& module) {
    nb::enum_<ProcessResult>(module, "ProcessResult")
        .value("ok", ProcessResult::ok)
        .value("block_too_large", ProcessResult::block_too_large)
        .value("two_threads", ProcessResult::two_threads)
        .value("closed", ProcessResult::closed)
        .value("on_device", ProcessResult::on_device);
    bind_statistics(module);
    nb::class_<SessionHandle>(module, "Session", nb::type_slots(kSessionSlots))
        .def("process", &process, nb::arg("audio").noconvert(), nb::arg("output").noconvert())
        .def("process_offline", &process_offline, nb::arg("audio").noconvert(), nb::arg("output").noconvert(),
             nb::arg("values").noconvert().none())
        .def("wait_idle",
             [](const SessionHandle& handle) {
                 interruptible([&](const StopRequest& stop) { handle.session->wait_idle(stop); });
             })
        .def("set_parameter_0to1",
             [](const SessionHandle& handle, int index, float value) {
                 require_parameter(*handle.session, index);
                 handle.session->set_parameter_0to1(index, value);
             })
        .def("parameter_0to1",
             [](const SessionHandle& handle, int index) {
                 require_parameter(*handle.session, index);
                 return handle.session->parameter_0to1(index);
             })
        .def("reset",
             [](const SessionHandle& handle) {
                 interruptible([&](const StopRequest& stop) { handle.session->reset(stop); });
             })
        .def("close",
             [](const SessionHandle& handle) {
                 interruptible([&](const StopRequest& stop) { handle.session->close(stop); });
             })
        .def_prop_ro("is_closed", [](const SessionHandle& handle) { return handle.session->is_closed(); })
        .def_prop_ro("output_channels", [](const SessionHandle& handle) { return handle.session->output_channels(); })
        .def_prop_ro("latency_samples", [](const SessionHandle& handle) { return handle.session->latency_samples(); })
        .def("latency_parts", [](const SessionHandle& handle) { return handle.session->latency_parts(); })
        .def("stats", [](const SessionHandle& handle) { return handle.session->stats(); })
        .def("callback_time_ns", [](const SessionHandle& handle) { return to_tuple(handle.session->callback_time()); })
        .def("inference_time_ns",
             [](const SessionHandle& handle) { return to_tuple(handle.session->inference_time()); })
        .def("turnaround_time_ns",
             [](const SessionHandle& handle) { return to_tuple(handle.session->turnaround_time()); });
}

}  // namespace neutone_like
