#include "engine/opening.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "engine/realtime_thread.hpp"
#include "engine/session.hpp"

namespace neutone_like {

namespace {

constexpr auto kLook = std::chrono::milliseconds(10);
constexpr auto kGrace = std::chrono::milliseconds(500);  // for a model that was interrupted to return

}  // namespace

OpeningProgress::Inside::Inside(OpeningProgress& of) : progress(of) {
    if (progress.given_up_) throw EngineError("The engine was closed, or the model given up, while it was opened.");
    progress.thread_ = this_thread();
    progress.since_ns_ = now_ns();
}

Opening::Opening(const SessionConfig& config, MakeInstances make, const PoolView& pool, double limit_seconds)
    : config_(config), make_(std::move(make)), pool_(std::make_unique<PoolView>(pool)), limit_seconds_(limit_seconds) {}

Opening::~Opening() = default;

std::shared_ptr<Session> Opening::run(const std::shared_ptr<Opening>& self, const StopRequest& stop) {
    std::thread thread([self] { self->work(); });
    try {
        self->wait(stop);
    } catch (...) {
        self->give_up();
        // A thread that still runs when the process ends may meet what is gone already: wait for it where that helps.
        const bool ended = self->wait_until_done(now_ns() + std::chrono::nanoseconds(kGrace).count());
        self->left_behind_ = !ended;
        ended ? thread.join() : thread.detach();
        throw;
    }
    thread.join();
    if (self->failure_ != nullptr) std::rethrow_exception(self->failure_);
    return std::move(self->session_);
}

bool Opening::wait_until_done(uint64_t limit_ns) {
    std::unique_lock lock(mutex_);
    while (!done_ && now_ns() < limit_ns) changed_.wait_for(lock, kLook);
    return done_;
}

void Opening::work() noexcept {
    std::shared_ptr<Session> session;
    std::exception_ptr failure;
    try {
        session = std::make_shared<Session>(config_, make_(), *pool_, progress_);
    } catch (...) {
        failure = std::current_exception();
    }
    make_ = nullptr;
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
    failure_ = std::move(failure);
    done_ = true;
    changed_.notify_all();
}

void Opening::wait(const StopRequest& stop) {
    const auto limit_ns = static_cast<uint64_t>(1e9 * limit_seconds_);
    CallWatch watch;
    while (!wait_until_done(now_ns() + std::chrono::nanoseconds(kLook).count())) {
        if (is_stopped(stop)) throw Interrupted();
        const uint64_t since = progress_.since_ns();
        if (watch.spent_ns(since, progress_.thread()) < limit_ns) continue;
        throw EngineError("The model has not returned from one call for " +
                          std::to_string(limit_seconds_).substr(0, 5) +
                          " s while it was opened, and was given up. If it needs that long, make the engine with a "
                          "longer watchdog_seconds.");
    }
}

}  // namespace neutone_like
