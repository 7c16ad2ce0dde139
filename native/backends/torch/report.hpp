// Turns whatever libtorch throws into a status and a message for a person.
#pragma once

#include <exception>
#include <stdexcept>
#include <string>

#include "neutone_like/backend.h"

namespace neutone_like::torch_backend {

// The model returned something of another shape or type than it was asked for.
class WrongShape : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

void write_message(nl_error error, const std::string& message) noexcept;

// What went wrong, without the interpreter's frames.
std::string describe(const std::exception& error);

// Runs `work`; nothing that it throws gets out.
template <typename Work>
nl_status guarded(nl_error error, Work&& work) noexcept {
    try {
        work();
        return NL_OK;
    } catch (const WrongShape& problem) {
        write_message(error, problem.what());
        return NL_WRONG_SHAPE;
    } catch (const std::exception& problem) {
        write_message(error, describe(problem));
    } catch (...) {
        write_message(error, "The model threw something that is no std::exception.");
    }
    return NL_ERROR;
}

}  // namespace neutone_like::torch_backend
