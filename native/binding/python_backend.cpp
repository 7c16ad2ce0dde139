#include "python_backend.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "python_threads.hpp"

namespace neutone_like {

namespace nb = nanobind;

namespace {

using Samples = nb::ndarray<nb::numpy, const float>;
using Output = nb::ndarray<nb::numpy, float>;

struct PythonInstance {
    std::shared_ptr<PythonReference> reference;
    nl_setup setup{};

    nb::object model() const { return reference->object; }
};

void write(nl_error error, const char* message) {
    if (error.size == 0) return;
    const size_t length = std::min(std::strlen(message), error.size - 1);
    std::memcpy(error.message, message, length);
    error.message[length] = '\0';
}

// "ValueError: what it says", of the exception that is set.
std::string describe_exception() {
    nb::python_error error;
    const nb::object type = nb::steal(PyObject_GetAttrString(error.type().ptr(), "__name__"));
    const nb::object text = nb::steal(PyObject_Str(error.value().ptr()));
    std::string described = type.is_valid() ? nb::str(type).c_str() : "exception";
    if (text.is_valid()) described += std::string(": ") + nb::str(text).c_str();
    PyErr_Clear();
    return described;
}

// Calls a method; null with the message written when it raised.
nb::object call(nb::handle model, const char* method, std::vector<nb::object> arguments, nl_error error) {
    const nb::object name = nb::steal(PyUnicode_InternFromString(method));
    std::vector<PyObject*> stack{model.ptr()};
    for (const nb::object& argument : arguments) stack.push_back(argument.ptr());
    PyObject* result = surviving_shutdown([&] {
        return PyObject_VectorcallMethod(name.ptr(), stack.data(), stack.size() | PY_VECTORCALL_ARGUMENTS_OFFSET,
                                         nullptr);
    });
    if (!result) write(error, describe_exception().c_str());
    return nb::steal(result);
}

// Runs `work` with the GIL. What the binding itself throws becomes a message too.
template <typename Work>
nl_status with_python(nl_error error, Work work) {
    return surviving_shutdown([&] {
        attach_to_python();
        const PyGILState_STATE state = PyGILState_Ensure();
        nl_status status = NL_ERROR;
        try {
            status = work();
        } catch (const std::exception& exception) {
            write(error, exception.what());
        }
        PyGILState_Release(state);
        return status;
    });
}

nl_status clone(void* instance, void** copy, nl_error error) {
    return with_python(error, [&] {
        auto* original = static_cast<PythonInstance*>(instance);
        nb::object model = call(original->model(), "clone", {}, error);
        if (!model.is_valid()) return NL_ERROR;
        if (model.is_none()) return NL_UNSUPPORTED;
        *copy = new PythonInstance{std::make_shared<PythonReference>(std::move(model)), original->setup};
        return NL_OK;
    });
}

nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
    return with_python(error, [&] {
        auto* self = static_cast<PythonInstance*>(instance);
        self->setup = *setup;
        std::vector<nb::object> arguments{nb::int_(setup->sample_rate), nb::int_(setup->longest_block)};
        const nb::object delay = call(self->model(), "prepare", std::move(arguments), error);
        if (!delay.is_valid()) return NL_ERROR;
        *facts = nl_facts{nb::cast<int32_t>(delay), 0, nullptr};
        return NL_OK;
    });
}

nl_status process(void* instance, const nl_block* block, nl_error error) {
    return with_python(error, [&] {
        auto* self = static_cast<PythonInstance*>(instance);
        const auto channels = [](int32_t count) { return static_cast<size_t>(count); };
        const auto samples = static_cast<size_t>(block->samples);
        const size_t with_past = samples + static_cast<size_t>(self->setup.look_behind);
        // Views of the engine's memory, valid for this call: with an owner given, nobody copies.
        const nb::object owner = nb::none();
        nb::list parameters;
        for (int32_t index = 0; index < self->setup.parameter_count; ++index) {
            const auto length = static_cast<size_t>(block->parameter_lengths[index]);
            parameters.append(Samples(block->parameters[index], {length}, owner).cast());
        }
        const nb::object complaint = call(
            self->model(), "process",
            {Samples(block->audio_in, {channels(self->setup.in_channels), with_past}, owner).cast(),
             Output(block->audio_out, {channels(self->setup.out_channels), samples}, owner).cast(), parameters},
            error);
        if (!complaint.is_valid()) return NL_ERROR;
        if (complaint.is_none()) return NL_OK;
        write(error, nb::str(complaint).c_str());
        return NL_WRONG_SHAPE;
    });
}

nl_status reset(void* instance, nl_error error) {
    return with_python(error, [&] {
        auto* self = static_cast<PythonInstance*>(instance);
        return call(self->model(), "reset", {}, error).is_valid() ? NL_OK : NL_ERROR;
    });
}

void destroy(void* instance) {
    with_python({nullptr, 0}, [&] {
        delete static_cast<PythonInstance*>(instance);
        return NL_OK;
    });
}

void thread_started() {
    surviving_shutdown([] {
        attach_to_python();
        return 0;
    });
}

const nl_backend kPythonBackend = {
    NL_BACKEND_ABI, "python", nullptr, clone, prepare, process, reset, destroy, thread_started,
};

}  // namespace

InstancePtr make_python_instance(std::shared_ptr<PythonReference> model) {
    return std::make_unique<Instance>(&kPythonBackend, new PythonInstance{std::move(model), {}}, nullptr);
}

}  // namespace neutone_like
