// The engine: opens sessions on one kind of backend or another, and plays them at real deadlines.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <future>
#include <utility>

#include "bindings.hpp"
#include "engine/builtin_backends.hpp"
#include "handles.hpp"
#include "python_backend.hpp"
#include "engine/shared_object.hpp"

namespace neutone_like {

namespace nb = nanobind;

namespace {

// Without the GIL: a Python backend takes it for every call, from whatever thread.
SessionHandle* open(const EngineHandle& handle, const SessionConfig& config, std::vector<InstancePtr> instances) {
    return new SessionHandle(handle.engine, handle.engine->open(config, std::move(instances)));
}

SessionHandle* open_native(const EngineHandle& handle, const SessionConfig& config, const nl_backend* backend,
                           const std::string& source, const std::string& options) {
    std::vector<InstancePtr> instances;
    for (int index = 0; index < config.instances; ++index) {
        instances.push_back(Instance::create(backend, source, options));
    }
    return open(handle, config, std::move(instances));
}

SessionHandle* open_shared_object(const EngineHandle& handle, const SessionConfig& config, const std::string& path,
                                  const std::string& source, const std::string& options) {
    return open_native(handle, config, load_backend(path), source, options);
}

SessionHandle* open_builtin(const EngineHandle& handle, const SessionConfig& config, const std::string& name,
                            const std::string& options) {
    return open_native(handle, config, builtin_backend(name), name, options);
}

SessionHandle* open_python(const EngineHandle& handle, const SessionConfig& config, std::vector<nb::object> models) {
    std::vector<std::shared_ptr<PythonReference>> references;
    std::vector<InstancePtr> instances;
    for (nb::object& model : models) {
        references.push_back(std::make_shared<PythonReference>(std::move(model)));
        instances.push_back(make_python_instance(references.back()));
    }
    SessionHandle* opened = nullptr;
    {
        nb::gil_scoped_release release;
        opened = open(handle, config, std::move(instances));
    }
    opened->python_models = std::move(references);
    return opened;
}

// Whether somebody pressed Ctrl-C; the exception is then set.
bool is_interrupted() {
    nb::gil_scoped_acquire acquire;
    return PyErr_CheckSignals() != 0;
}

// An interrupted run closes its sessions: that is what ends it.
std::vector<DeviceReport> run_realtime(const EngineHandle& handle, const std::vector<DevicePlan*>& plans) {
    std::vector<DevicePlan> copies;
    for (const DevicePlan* plan : plans) copies.push_back(*plan);
    bool interrupted = false;
    std::vector<DeviceReport> reports;
    {
        nb::gil_scoped_release release;
        auto run = std::async(std::launch::async, [&] { return handle.engine->run_realtime(copies); });
        while (run.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
            if (!interrupted && is_interrupted()) {
                interrupted = true;
                for (const DevicePlan& plan : copies) plan.session->close();
            }
        }
        reports = run.get();
    }
    if (interrupted) throw nb::python_error();
    return reports;
}

}  // namespace

void bind_engine(nb::module_& module) {
    nb::class_<WorkerStats>(module, "WorkerStats")
        .def_ro("cpu_seconds", &WorkerStats::cpu_seconds)
        .def_ro("turns", &WorkerStats::turns)
        .def_ro("realtime_priority", &WorkerStats::realtime_priority)
        .def_ro("left_behind", &WorkerStats::left_behind);

    using release = nb::call_guard<nb::gil_scoped_release>;
    nb::class_<EngineHandle>(module, "Engine")
        .def(nb::init<const EngineConfig&>())
        .def("open_shared_object", &open_shared_object, release(), nb::rv_policy::take_ownership)
        .def("open_builtin", &open_builtin, release(), nb::rv_policy::take_ownership)
        .def("open_python", &open_python, nb::rv_policy::take_ownership)
        .def("close", [](const EngineHandle& handle) { handle.engine->close(); }, release())
        .def("run_realtime", &run_realtime, nb::arg("plans"))
        .def("worker_stats", [](const EngineHandle& handle) { return handle.engine->worker_stats(); });
}

}  // namespace neutone_like
