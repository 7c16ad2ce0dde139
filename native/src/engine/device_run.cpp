#include "engine/device_run.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/call_watch.hpp"

namespace neutone_like {

namespace {

constexpr auto kLook = std::chrono::milliseconds(10);

// A session is one device's at a time.
class Taken {
public:
    explicit Taken(std::shared_ptr<Session> session) : session_(std::move(session)) {
        if (session_->take_device()) return;
        throw EngineError(
            "Another run_realtime plays this session. Wait until that has ended, or open another session.");
    }
    ~Taken() { session_->leave_device(); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;

private:
    std::shared_ptr<Session> session_;
};

struct Device {
    explicit Device(const DevicePlan& wanted) : plan(wanted), taken(wanted.session) {}

    DevicePlan plan;
    Taken taken;
    DeviceProgress progress;
    CallWatch watch;
    DeviceReport report;
    std::exception_ptr failure;
    std::atomic<bool> ended{false};
    std::thread thread;
};

// Outlives a device that is left behind.
class Run : public std::enable_shared_from_this<Run> {
public:
    explicit Run(const std::vector<DevicePlan>& plans) {
        for (const DevicePlan& plan : plans) {
            devices_.push_back(std::make_unique<Device>(plan));
            leading_ += plan.companion ? 0 : 1;
        }
    }

    void start() {
        for (const auto& device : devices_) {
            device->thread = std::thread([self = shared_from_this(), device = device.get()] { self->play(*device); });
        }
    }

    void end() noexcept {
        for (const auto& device : devices_) {
            if (!device->plan.companion) device->plan.session->close();
            device->progress.ends = true;
        }
    }

    // Whether all have ended.
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, kLook, [&] {
            return std::all_of(devices_.begin(), devices_.end(),
                               [](const auto& device) { return device->ended.load(); });
        });
    }

    Device* stuck(uint64_t limit_ns) {
        for (const auto& device : devices_) {
            if (device->ended) continue;
            const DeviceProgress& progress = device->progress;
            if (device->watch.spent_ns(progress.inside_since_ns, progress.thread) >= limit_ns) return device.get();
        }
        return nullptr;
    }

    // Those that have not ended are left behind.
    void join() {
        for (const auto& device : devices_) {
            if (device->thread.joinable()) device->ended ? device->thread.join() : device->thread.detach();
        }
    }

    std::vector<DeviceReport> reports() {
        std::vector<DeviceReport> all;
        for (const auto& device : devices_) {
            if (device->failure != nullptr) std::rethrow_exception(device->failure);
            all.push_back(std::move(device->report));
        }
        return all;
    }

private:
    void play(Device& device) noexcept {
        try {
            device.report = run_device(device.plan, device.progress);
        } catch (...) {
            device.failure = std::current_exception();
        }
        if (!device.plan.companion) leader_ended(device.report.callbacks == device.plan.callbacks);
        const std::lock_guard lock(mutex_);
        device.ended = true;
        changed_.notify_all();
    }

    // Companions play as long as the leaders: to their own end, or no further than leaders that were all cut short.
    void leader_ended(bool played_all) noexcept {
        if (played_all) played_all_ = true;
        if (--leading_ > 0 || played_all_) return;
        for (const auto& other : devices_) {
            if (other->plan.companion) other->progress.ends = true;
        }
    }

    std::vector<std::unique_ptr<Device>> devices_;
    std::atomic<int> leading_{0};
    std::atomic<bool> played_all_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
};

// Until all have ended, or one is found that never will.
void play_to_the_end(Run& run, uint64_t watchdog_ns, const StopRequest& stop) {
    bool interrupted = false;
    while (!run.wait()) {
        if (!interrupted && is_stopped(stop)) {
            interrupted = true;
            run.end();
        }
        Device* const stuck = run.stuck(watchdog_ns);
        if (stuck == nullptr) continue;
        stuck->plan.session->give_up();
        run.end();
        while (!run.wait() && run.stuck(watchdog_ns) == nullptr) {
        }
        throw EngineError("A model in inline mode does not return from a callback, and its session was given up.");
    }
}

}  // namespace

std::vector<DeviceReport> run_devices(const std::vector<DevicePlan>& plans, double watchdog_seconds,
                                      const StopRequest& stop) {
    for (const DevicePlan& plan : plans) check_plan(plan);
    const auto run = std::make_shared<Run>(plans);
    try {
        run->start();
        play_to_the_end(*run, static_cast<uint64_t>(1e9 * watchdog_seconds), stop);
    } catch (...) {
        run->end();
        for (int look = 0; look < 50 && !run->wait(); ++look) {
        }
        run->join();
        throw;
    }
    run->join();
    return run->reports();
}

}  // namespace neutone_like
