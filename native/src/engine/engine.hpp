// The pool and the sessions on it: what a host holds.
#pragma once

#include <memory>
#include <vector>

#include "engine/device.hpp"
#include "engine/engine_config.hpp"
#include "engine/instance.hpp"
#include "engine/pool.hpp"
#include "engine/session.hpp"
#include "signal/config.hpp"

namespace neutone_like {

class Engine {
public:
    explicit Engine(const EngineConfig& config);  // throws EngineError
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    // `instances`: as many as config.instances says. Not real time: it sizes, warms up and measures. Throws EngineError.
    std::shared_ptr<Session> open(const SessionConfig& config, std::vector<InstancePtr> instances);

    // Closes every session and ends the workers; a worker whose backend never returns is left behind.
    void close() noexcept;
    bool is_closed() const noexcept { return closed_; }

    // Plays sessions from native threads at real deadlines, one device thread each, all at once (device.hpp).
    std::vector<DeviceReport> run_realtime(const std::vector<DevicePlan>& plans);

    std::vector<WorkerStats> worker_stats() const { return pool_->worker_stats(); }
    const EngineConfig& config() const noexcept { return config_; }

private:
    void require_open() const;

    EngineConfig config_;
    std::unique_ptr<Pool> pool_;
    std::atomic<bool> closed_{false};
    std::vector<std::weak_ptr<Session>> inline_sessions_;
    std::mutex mutex_;
};

}  // namespace neutone_like
