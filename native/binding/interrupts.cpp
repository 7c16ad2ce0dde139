#include "interrupts.hpp"

#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace nb = nanobind;

namespace {

constexpr uint64_t kLookNs = 50'000'000;
thread_local Interrupts* innermost = nullptr;

}  // namespace

Interrupts::Interrupts() : outer_(innermost) { innermost = this; }

Interrupts::~Interrupts() { innermost = outer_; }

bool Interrupts::operator()() {
    if (waiting_ != nullptr) return true;
    const uint64_t now = now_ns();
    if (looked_ns_ == 0) looked_ns_ = now;  // Python has just looked itself
    if (now - looked_ns_ < kLookNs) return false;
    looked_ns_ = now;
    return surviving_shutdown([this] {
        const PyGILState_STATE state = PyGILState_Ensure();
        if (PyErr_CheckSignals() != 0) waiting_ = std::make_unique<nb::python_error>();
        PyGILState_Release(state);
        return waiting_ != nullptr;
    });
}

void Interrupts::raise() {
    if (waiting_ == nullptr) return;
    const std::unique_ptr<nb::python_error> raised = std::move(waiting_);
    throw nb::python_error(std::move(*raised));
}

bool Interrupts::keep_raised() {
    if (PyErr_ExceptionMatches(PyExc_Exception) || innermost == nullptr) return false;
    if (innermost->waiting_ == nullptr) {
        innermost->waiting_ = std::make_unique<nb::python_error>();
    } else {
        PyErr_Clear();  // the first one counts
    }
    return true;
}

}  // namespace neutone_like
