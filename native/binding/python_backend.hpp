// A Python object as a backend. It takes the GIL for every block, so that a busy Python thread makes it late: good for
// trying things out, and for runtimes that have no backend of their own yet.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "engine/instance.hpp"

namespace neutone_like {

// The one reference that an instance holds. A session's handle shows it to the garbage collector.
struct PythonReference {
    nanobind::object object;
};

// Whichever thread lets go of it last takes the GIL to do so. With the GIL held.
std::shared_ptr<PythonReference> make_python_reference(nanobind::object model);

// `model` refers to a neutone_like.runtime.python_model.PythonModel: its methods are called as it documents.
InstancePtr make_python_instance(std::shared_ptr<PythonReference> model);

}  // namespace neutone_like
