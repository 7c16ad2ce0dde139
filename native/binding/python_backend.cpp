#include "python_backend.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "interrupts.hpp"
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

// Any Python text in UTF-8: what can't be is written as \udc80, and so is what ends a text in C.
std::string to_utf8(nb::handle text) {
    const nb::object bytes = nb::steal(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "backslashreplace"));
    char* characters = nullptr;
    Py_ssize_t length = 0;
    if (!bytes.is_valid() || PyBytes_AsStringAndSize(bytes.ptr(), &characters, &length) != 0) {
        PyErr_Clear();
        return "a text that can't be shown";
    }
    std::string utf8(characters, static_cast<size_t>(length));
    for (size_t zero = utf8.find('\0'); zero != std::string::npos; zero = utf8.find('\0')) utf8.replace(zero, 1, "\\0");
    return utf8;
}

// "ValueError: what it says", of the exception that is set; it may be a user's class whose text can't be had.
std::string describe_exception() {
    const nb::python_error error;
    const nb::object type = nb::steal(PyObject_GetAttrString(error.type().ptr(), "__name__"));
    PyErr_Clear();
    std::string described = type.is_valid() && PyUnicode_Check(type.ptr()) ? to_utf8(type) : "exception";
    const nb::object text = nb::steal(PyObject_Str(error.value().ptr()));
    described += text.is_valid() ? ": " + to_utf8(text) : std::string(" (whose text can't be had)");
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
    if (!result) write(error, Interrupts::keep_raised() ? "it was interrupted" : describe_exception().c_str());
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
        } catch (nb::python_error& raised) {
            raised.restore();
            write(error, describe_exception().c_str());
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
        const nb::object complaint =
            call(self->model(), "process",
                 {Samples(block->audio_in, {channels(self->setup.in_channels), with_past}, owner).cast(),
                  Output(block->audio_out, {channels(self->setup.out_channels), samples}, owner).cast(), parameters},
                 error);
        if (!complaint.is_valid()) return NL_ERROR;
        if (complaint.is_none()) return NL_OK;
        write(error, to_utf8(complaint).c_str());
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

std::shared_ptr<PythonReference> make_python_reference(nb::object model) {
    return {new PythonReference{std::move(model)}, [](PythonReference* reference) {
                with_python({nullptr, 0}, [&] {
                    delete reference;
                    return NL_OK;
                });
            }};
}

InstancePtr make_python_instance(std::shared_ptr<PythonReference> model) {
    return std::make_unique<Instance>(&kPythonBackend, new PythonInstance{std::move(model), {}}, nullptr);
}

}  // namespace neutone_like
