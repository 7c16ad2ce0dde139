// The worker threads, and which session each runs next.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine_config.hpp"
#include "engine/session.hpp"

namespace neutone_like {

struct WorkerStats {
    double cpu_seconds = 0.0;
    uint64_t turns = 0;
    bool realtime_priority = false;
    bool left_behind = false;  // its backend never returned
};

// A fixed number of workers. Each takes the session whose output is needed first (earliest deadline first), does one
// block's work, and looks again. A worker whose backend does not return within the watchdog's time is left behind with
// its session and replaced, so that the others play on.
class Pool {
public:
    static constexpr int kMostSessions = 1024;

    explicit Pool(const EngineConfig& config);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    // What a session that is about to be opened must know. Valid as long as the session lives.
    PoolView view() const;
    void add(std::shared_ptr<Session> session);  // throws EngineError when there is no place left
    void stop(const StopRequest& stop = {}) noexcept;

    // In a process that was forked off the one with the threads: there are none here to wait for.
    bool is_forked() const noexcept;

    std::vector<std::shared_ptr<Session>> sessions() const;
    std::vector<WorkerStats> worker_stats() const;

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace neutone_like
