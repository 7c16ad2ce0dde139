// neutone_like.runtime._native: the real-time engine for Python. Only neutone_like.runtime uses it.
#include <nanobind/nanobind.h>

#include <exception>
#include <new>
#include <stdexcept>

#include "arrays.hpp"
#include "bindings.hpp"
#include "compiled/compiled_model.hpp"
#include "signal/config.hpp"

namespace nb = nanobind;

namespace {

void raise_error(const char* name, const char* message) {
    PyObject* errors = PyImport_ImportModule("neutone_like.errors");
    PyObject* type = errors ? PyObject_GetAttrString(errors, name) : nullptr;
    if (type) PyErr_SetObject(type, neutone_like::to_text(message).ptr());
    Py_XDECREF(type);
    Py_XDECREF(errors);
}

void translate(const std::exception_ptr& pointer, void*) {
    try {
        std::rethrow_exception(pointer);
    } catch (const neutone_like::CompiledModelError& error) {
        raise_error("ArtifactError", error.what());
    } catch (const neutone_like::EngineError& error) {
        raise_error("RuntimeEngineError", error.what());
    } catch (const std::bad_alloc&) {
        raise_error("RuntimeEngineError",
                    "There is not enough memory for this session. Close others, or use smaller blocks.");
    } catch (const std::length_error&) {
        raise_error("RuntimeEngineError",
                    "There is not enough memory for this session. Close others, or use smaller blocks.");
    }
}

}  // namespace

NB_MODULE(_native, module) {
    // What a thread still uses when the interpreter ends is no news for a user. Tests turn it on.
    nb::set_leak_warnings(false);
    module.def("set_leak_warnings", &nb::set_leak_warnings);
    nb::register_exception_translator(translate);
    neutone_like::bind_compiled(module);
    neutone_like::bind_config(module);
    neutone_like::bind_fit(module);
    neutone_like::bind_session(module);
    neutone_like::bind_device(module);
    neutone_like::bind_engine(module);
    neutone_like::bind_live(module);
}
