// Ctrl-C while a thread is inside the engine, and whatever else of its kind a model raises there.
#pragma once

#include <nanobind/nanobind.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "engine/stop_request.hpp"
#include "python_threads.hpp"

namespace neutone_like {

// One call from Python into the engine. Python's own code hears a signal between two instructions; in here nobody looks
// but this.
class Interrupts {
public:
    Interrupts();
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

    // A StopRequest: whether an exception waits to be raised. Without the GIL, which it takes every 50 ms.
    bool operator()();

    // With the GIL: throws the exception that waits.
    void raise();

    // With the GIL, where a model that the calling thread runs has raised what is no Exception (KeyboardInterrupt,
    // SystemExit): it is for whoever called from Python. False where nobody did, as on a worker.
    static bool keep_raised();

private:
    Interrupts* const outer_;
    uint64_t looked_ns_ = 0;
    std::unique_ptr<nanobind::python_error> waiting_;
};

// Does `work(stop)` without the GIL. An interrupt comes before whatever else went wrong.
template <typename Work>
auto interruptible(Work&& work) {
    using Result = std::invoke_result_t<Work, const StopRequest&>;
    Interrupts interrupts;
    const StopRequest stop = std::ref(interrupts);
    std::exception_ptr failure;
    std::conditional_t<std::is_void_v<Result>, int, std::optional<Result>> result{};
    {
        const GilReleased released;
        try {
            if constexpr (std::is_void_v<Result>) {
                work(stop);
            } else {
                result.emplace(work(stop));
            }
        } catch (...) {
            failure = std::current_exception();
        }
    }
    interrupts.raise();
    if (failure != nullptr) std::rethrow_exception(failure);
    if constexpr (!std::is_void_v<Result>) return std::move(*result);
}

}  // namespace neutone_like
