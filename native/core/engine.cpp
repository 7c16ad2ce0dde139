#include "engine.hpp"

#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace neutone_like {

Engine::Engine(const EngineConfig& config) : config_(config) {
    if (config.workers < 1 || config.workers > 256) {
        throw EngineError("workers must lie in 1..256, got " + std::to_string(config.workers) + ".");
    }
    if (!(config.watchdog_seconds >= 0.01 && config.watchdog_seconds <= 3600.0)) {
        throw EngineError("watchdog_seconds must lie in 0.01..3600, got " + std::to_string(config.watchdog_seconds) +
                          ".");
    }
    pool_ = std::make_unique<Pool>(config);
}

Engine::~Engine() { close(); }

std::shared_ptr<Session> Engine::open(const SessionConfig& config, std::vector<InstancePtr> instances) {
    if (closed_) throw EngineError("The engine is closed. Make a new one.");
    try {
        auto session = std::make_shared<Session>(config, std::move(instances), pool_->view());
        if (config.mode == Mode::async) {
            pool_->add(session);
        } else {
            const std::lock_guard lock(mutex_);
            std::erase_if(inline_sessions_, [](const auto& weak) { return weak.expired(); });
            inline_sessions_.push_back(session);
        }
        return session;
    } catch (const std::bad_alloc&) {
        throw EngineError("There is not enough memory for another session. Close some, or give a shorter "
                          "queue_seconds or block_size.");
    } catch (const std::system_error& error) {
        throw EngineError(std::string("The system gives no further thread: ") + error.what() + ".");
    }
}

void Engine::close() noexcept {
    if (closed_.exchange(true)) return;
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
    std::vector<DeviceReport> reports(plans.size());
    std::vector<std::thread> threads;
    for (size_t index = 0; index < plans.size(); ++index) {
        threads.emplace_back([&, index] { reports[index] = run_device(plans[index]); });
    }
    for (std::thread& thread : threads) thread.join();
    return reports;
}

}  // namespace neutone_like
