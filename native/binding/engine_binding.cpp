// The engine: opens sessions on one kind of backend or another, and plays them at real deadlines.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <functional>
#include <utility>

#include "bindings.hpp"
#include "engine/builtin_backends.hpp"
#include "engine/compiled_backend.hpp"
#include "engine/shared_object.hpp"
#include "handles.hpp"
#include "interrupts.hpp"
#include "python_backend.hpp"

namespace neutone_like {

namespace nb = nanobind;

namespace {

SessionHandle* open(const EngineHandle& handle, const SessionConfig& config, const MakeInstances& make) {
    return new SessionHandle(
        handle.engine, interruptible([&](const StopRequest& stop) { return handle.engine->open(config, make, stop); }));
}

MakeInstances instances_of(int count, std::function<const nl_backend*()> backend, const std::string& source,
                           const std::string& options) {
    return [=] {
        std::vector<InstancePtr> instances;
        for (int index = 0; index < count; ++index) instances.push_back(Instance::create(backend(), source, options));
        return instances;
    };
}

SessionHandle* open_shared_object(const EngineHandle& handle, const SessionConfig& config, const std::string& path,
                                  const std::string& source, const std::string& options) {
    return open(handle, config, instances_of(config.instances, [path] { return load_backend(path); }, source, options));
}

SessionHandle* open_builtin(const EngineHandle& handle, const SessionConfig& config, const std::string& name,
                            const std::string& options) {
    return open(handle, config,
                instances_of(config.instances, [name] { return builtin_backend(name); }, name, options));
}

SessionHandle* open_compiled(const EngineHandle& handle, const SessionConfig& config, const std::string& path) {
    return open(handle, config, instances_of(config.instances, [] { return compiled_backend(); }, path, ""));
}

SessionHandle* open_python(const EngineHandle& handle, const SessionConfig& config, std::vector<nb::object> models) {
    std::vector<std::shared_ptr<PythonReference>> references;
    for (nb::object& model : models) references.push_back(make_python_reference(std::move(model)));
    SessionHandle* opened = open(handle, config, [references] {
        std::vector<InstancePtr> instances;
        for (const auto& reference : references) instances.push_back(make_python_instance(reference));
        return instances;
    });
    opened->python_models = std::move(references);
    return opened;
}

std::vector<DeviceReport> run_realtime(const EngineHandle& handle, const std::vector<DevicePlan*>& plans) {
    std::vector<DevicePlan> copies;
    for (const DevicePlan* plan : plans) copies.push_back(*plan);
    return interruptible([&](const StopRequest& stop) { return handle.engine->run_realtime(copies, stop); });
}

}  // namespace

void bind_engine(nb::module_& module) {
    nb::class_<WorkerStats>(module, "WorkerStats")
        .def_ro("cpu_seconds", &WorkerStats::cpu_seconds)
        .def_ro("turns", &WorkerStats::turns)
        .def_ro("realtime_priority", &WorkerStats::realtime_priority)
        .def_ro("left_behind", &WorkerStats::left_behind);

    nb::class_<EngineHandle>(module, "Engine")
        .def(nb::init<const EngineConfig&>())
        .def("open_shared_object", &open_shared_object, nb::rv_policy::take_ownership)
        .def("open_builtin", &open_builtin, nb::rv_policy::take_ownership)
        .def("open_compiled", &open_compiled, nb::rv_policy::take_ownership)
        .def("open_python", &open_python, nb::rv_policy::take_ownership)
        .def("close",
             [](const EngineHandle& handle) {
                 interruptible([&](const StopRequest& stop) { handle.engine->close(stop); });
             })
        .def("run_realtime", &run_realtime, nb::arg("plans"))
        .def("worker_stats", [](const EngineHandle& handle) { return handle.engine->worker_stats(); });
}

}  // namespace neutone_like
