// What Python holds of the engine and its sessions. The last one to let go waits for workers, and a worker may be
// waiting for the GIL: so it goes without.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <vector>

#include "engine/engine.hpp"
#include "python_backend.hpp"
#include "python_threads.hpp"

namespace neutone_like {

struct EngineHandle {
    explicit EngineHandle(const EngineConfig& config) : engine(std::make_shared<Engine>(config)) {}
    EngineHandle(const EngineHandle&) = delete;
    EngineHandle& operator=(const EngineHandle&) = delete;
    ~EngineHandle() {
        const GilReleased released;
        engine.reset();
    }

    std::shared_ptr<Engine> engine;
};

struct SessionHandle {
    SessionHandle(std::shared_ptr<Engine> pool, std::shared_ptr<Session> opened)
        : engine(std::move(pool)), session(std::move(opened)) {}
    SessionHandle(const SessionHandle&) = delete;
    SessionHandle& operator=(const SessionHandle&) = delete;
    ~SessionHandle() {
        const GilReleased released;
        session.reset();
        engine.reset();
    }

    std::shared_ptr<Engine> engine;  // a session's workers are its engine's
    std::shared_ptr<Session> session;
    std::vector<std::shared_ptr<PythonReference>> python_models;  // what the session's instances call
};

}  // namespace neutone_like
