#include "engine/engine.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "engine/device_run.hpp"
#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace {

// What a model's first call may take longer than those that the watchdog looks at.
constexpr double kFirstCallSeconds = 2.0;

std::string no_thread(const std::system_error& error) {
    return std::string("The system gives no further thread: ") + error.what() + ".";
}

}  // namespace

Engine::Engine(const EngineConfig& config) : config_(config) {
    if (config.workers < 1 || config.workers > 256) {
        throw EngineError("workers must lie in 1..256, got " + std::to_string(config.workers) + ".");
    }
    if (!(config.watchdog_seconds >= 0.01 && config.watchdog_seconds <= 3600.0)) {
        throw EngineError("watchdog_seconds must lie in 0.01..3600, got " + std::to_string(config.watchdog_seconds) +
                          ".");
    }
    try {
        pool_ = std::make_unique<Pool>(config);
    } catch (const std::system_error& error) {
        throw EngineError(no_thread(error));
    }
}

Engine::~Engine() { close(); }

std::shared_ptr<Session> Engine::open(const SessionConfig& config, std::vector<InstancePtr> instances,
                                      const StopRequest& stop) {
    const auto made = std::make_shared<std::vector<InstancePtr>>(std::move(instances));
    return open(config, [made] { return std::move(*made); }, stop);
}

std::shared_ptr<Session> Engine::open(const SessionConfig& config, MakeInstances make, const StopRequest& stop) {
    require_open();
    const double limit_seconds = std::max(config_.watchdog_seconds, config.max_inference_seconds) + kFirstCallSeconds;
    const auto opening = std::make_shared<Opening>(config, std::move(make), pool_->view(), limit_seconds);
    {
        const std::lock_guard lock(mutex_);
        require_open();
        std::erase_if(openings_, [](const auto& weak) { return weak.expired(); });
        openings_.push_back(opening);
    }
    try {
        return add(Opening::run(opening, stop));
    } catch (const std::bad_alloc&) {
        throw EngineError(
            "There is not enough memory for another session. Close some, or give a shorter "
            "queue_seconds or block_size.");
    } catch (const std::system_error& error) {
        throw EngineError(no_thread(error));
    }
}

// What its holders get closes the session when the last of them lets go: the pool's own reference does not count.
std::shared_ptr<Session> Engine::add(std::shared_ptr<Session> session) {
    const std::lock_guard lock(mutex_);
    require_open();  // it may have been closed while the model was measured
    if (session->config().mode == Mode::async) {
        pool_->add(session);
    } else {
        std::erase_if(inline_sessions_, [](const auto& weak) { return weak.expired(); });
        inline_sessions_.push_back(session);
    }
    Session* const held = session.get();
    return {held, [session = std::move(session)](Session*) mutable {
                session->let_go();
                session.reset();
            }};
}

void Engine::require_open() const {
    if (closed_) throw EngineError("The engine is closed. Make a new one.");
}

void Engine::end_sessions(uint64_t limit_ns, const StopRequest& stop) noexcept {
    std::vector<std::shared_ptr<Session>> sessions = pool_->sessions();
    {
        const std::lock_guard lock(mutex_);
        for (const auto& weak : inline_sessions_) {
            if (auto session = weak.lock()) sessions.push_back(std::move(session));
        }
        inline_sessions_.clear();
    }
    for (const auto& session : sessions) session->let_go();
    for (const auto& session : sessions) session->wait_until_left(limit_ns, stop);
}

void Engine::end_openings(uint64_t limit_ns) noexcept {
    std::vector<std::weak_ptr<Opening>> openings;
    {
        const std::lock_guard lock(mutex_);
        openings.swap(openings_);
    }
    for (const auto& weak : openings) {
        if (const auto opening = weak.lock()) opening->give_up();
    }
    for (const auto& weak : openings) {
        const auto opening = weak.lock();
        if (opening != nullptr && !opening->is_left_behind()) opening->wait_until_done(limit_ns);
    }
}

void Engine::close(const StopRequest& stop) noexcept {
    if (pool_->is_forked()) return;
    {
        const std::lock_guard lock(mutex_);
        if (closed_.exchange(true)) return;
    }
    const uint64_t limit = now_ns() + static_cast<uint64_t>(1e9 * config_.watchdog_seconds);
    end_sessions(limit, stop);
    end_openings(limit);
    // Devices end with their sessions.
    while (runs_ > 0 && now_ns() < limit && !is_stopped(stop))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    pool_->stop(stop);
}

std::vector<DeviceReport> Engine::run_realtime(const std::vector<DevicePlan>& plans, const StopRequest& stop) {
    struct Counted {
        explicit Counted(std::atomic<int>& of) : count(of) { ++count; }
        ~Counted() { --count; }
        std::atomic<int>& count;
    };
    const Counted counted(runs_);
    require_open();
    try {
        return run_devices(plans, config_.watchdog_seconds, stop);
    } catch (const std::system_error& error) {
        throw EngineError(no_thread(error));
    }
}

}  // namespace neutone_like
