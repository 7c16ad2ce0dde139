// The pool and the sessions on it: what a host holds.
#pragma once

#include <memory>
#include <vector>

#include "engine/device.hpp"
#include "engine/engine_config.hpp"
#include "engine/instance.hpp"
#include "engine/opening.hpp"
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

    // `make` gives as many instances as config.instances says. Not real time: it loads, sizes, warms up and measures, on
    // a thread of its own. Throws EngineError, also for a model that does not return from a call within the watchdog's
    // time and two seconds for what a first call takes longer; and Interrupted. A session that nobody holds any more is
    // closed.
    std::shared_ptr<Session> open(const SessionConfig& config, MakeInstances make, const StopRequest& stop = {});
    std::shared_ptr<Session> open(const SessionConfig& config, std::vector<InstancePtr> instances,
                                  const StopRequest& stop = {});

    // Closes every session, ends what is being opened and played, and the workers. What does not return within the
    // watchdog's time, or until `stop`, is left behind.
    void close(const StopRequest& stop = {}) noexcept;
    bool is_closed() const noexcept { return closed_; }

    // Plays sessions from native threads at real deadlines, one device thread each, all at once (device_run.hpp).
    std::vector<DeviceReport> run_realtime(const std::vector<DevicePlan>& plans, const StopRequest& stop = {});

    std::vector<WorkerStats> worker_stats() const { return pool_->worker_stats(); }
    const EngineConfig& config() const noexcept { return config_; }

private:
    void require_open() const;
    std::shared_ptr<Session> add(std::shared_ptr<Session> session);
    void end_sessions(uint64_t limit_ns, const StopRequest& stop) noexcept;
    void end_openings(uint64_t limit_ns) noexcept;

    EngineConfig config_;
    std::unique_ptr<Pool> pool_;
    std::atomic<bool> closed_{false};
    std::vector<std::weak_ptr<Session>> inline_sessions_;
    std::vector<std::weak_ptr<Opening>> openings_;
    std::atomic<int> runs_{0};
    std::mutex mutex_;
};

}  // namespace neutone_like
