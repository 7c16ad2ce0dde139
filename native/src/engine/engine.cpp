#include "engine/engine.hpp"

#include <functional>
#include <future>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace neutone_like {

namespace {

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

std::shared_ptr<Session> Engine::open(const SessionConfig& config, std::vector<InstancePtr> instances) {
    require_open();
    try {
        auto session = std::make_shared<Session>(config, std::move(instances), pool_->view());
        const std::lock_guard lock(mutex_);
        require_open();  // it may have been closed while the model was measured
        if (config.mode == Mode::async) {
            pool_->add(session);
        } else {
            std::erase_if(inline_sessions_, [](const auto& weak) { return weak.expired(); });
            inline_sessions_.push_back(session);
        }
        return session;
    } catch (const std::bad_alloc&) {
        throw EngineError("There is not enough memory for another session. Close some, or give a shorter "
                          "queue_seconds or block_size.");
    } catch (const std::system_error& error) {
        throw EngineError(no_thread(error));
    }
}

void Engine::require_open() const {
    if (closed_) throw EngineError("The engine is closed. Make a new one.");
}

void Engine::close() noexcept {
    {
        const std::lock_guard lock(mutex_);
        if (closed_.exchange(true)) return;
    }
    for (const auto& session : pool_->sessions()) session->close();
    {
        const std::lock_guard lock(mutex_);
        for (const auto& weak : inline_sessions_) {
            if (const auto session = weak.lock()) session->close();
        }
        inline_sessions_.clear();
    }
    pool_->stop();
}

std::vector<DeviceReport> Engine::run_realtime(const std::vector<DevicePlan>& plans) {
    for (const DevicePlan& plan : plans) check_plan(plan);
    std::vector<std::future<DeviceReport>> runs;  // each waits for its thread, whatever happens to the others
    std::vector<DeviceReport> reports;
    try {
        for (const DevicePlan& plan : plans) runs.push_back(std::async(std::launch::async, run_device, std::cref(plan)));
        for (std::future<DeviceReport>& run : runs) reports.push_back(run.get());
    } catch (const std::system_error& error) {
        throw EngineError(no_thread(error));
    }
    return reports;
}

}  // namespace neutone_like
