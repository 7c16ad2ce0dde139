// Opens a session on a thread of its own, so that whoever waits for it can give up a model that never returns.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/call_watch.hpp"
#include "engine/instance.hpp"
#include "engine/stop_request.hpp"
#include "signal/config.hpp"

namespace neutone_like {

class Session;
struct PoolView;

// Loads the model; not limited in time, because files may be large and disks slow.
using MakeInstances = std::function<std::vector<InstancePtr>()>;

// What the thread that opens tells the one that waits: since when it is inside the model, and which thread that is.
class OpeningProgress {
public:
    // Calls into the model. Throws EngineError where the opening was given up meanwhile.
    template <typename Call>
    auto call(Call&& into_model) {
        const Inside inside(*this);
        return std::forward<Call>(into_model)();
    }

    void give_up() noexcept { given_up_ = true; }
    uint64_t since_ns() const noexcept { return since_ns_; }  // 0: not inside the model
    pid_t thread() const noexcept { return thread_; }

private:
    struct Inside {
        explicit Inside(OpeningProgress& of);
        ~Inside() { progress.since_ns_ = 0; }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        OpeningProgress& progress;
    };

    std::atomic<bool> given_up_{false};
    std::atomic<uint64_t> since_ns_{0};
    std::atomic<pid_t> thread_{0};
};

class Opening {
public:
    // `limit_seconds`: the most that one call into the model may take, of what CallWatch counts.
    Opening(const SessionConfig& config, MakeInstances make, const PoolView& pool, double limit_seconds);
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

    // The session; throws what went wrong, EngineError when a call takes too long, and Interrupted. What is given up
    // goes on alone until the model returns, and is then thrown away.
    static std::shared_ptr<Session> run(const std::shared_ptr<Opening>& self, const StopRequest& stop);

    // From any thread.
    void give_up() noexcept { progress_.give_up(); }
    bool wait_until_done(uint64_t limit_ns);
    bool is_left_behind() const noexcept { return left_behind_; }

private:
    void work() noexcept;
    void wait(const StopRequest& stop);

    SessionConfig config_;
    MakeInstances make_;
    std::unique_ptr<PoolView> pool_;
    double limit_seconds_;
    OpeningProgress progress_;
    std::atomic<bool> left_behind_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    std::shared_ptr<Session> session_;
    std::exception_ptr failure_;
};

}  // namespace neutone_like
