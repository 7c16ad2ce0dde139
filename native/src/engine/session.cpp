#include "engine/session.hpp"

#include <cmath>
#include <utility>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

Session::Session(PlannedSession planned, PoolView&& pool)
    : pool_(std::move(pool)),
      plan_(std::move(planned.plan)),
      shared_(plan_),
      workers_(plan_, shared_, pool_, std::move(planned.runners)),
      audio_(plan_, shared_, workers_, pool_),
      control_(plan_, shared_, audio_, workers_, pool_) {}

void Session::set_parameter_0to1(int index, float value) noexcept {
    if (!std::isnan(value)) shared_.parameters[index].store(value, std::memory_order_relaxed);
}

void Session::close(const StopRequest& stop) noexcept {
    if (shared_.closed.exchange(true)) return;
    if (pool_.closed) pool_.closed(this, true);
    wait_until_left(now_ns() + static_cast<uint64_t>(1e9 * pool_.watchdog_seconds), stop);
}

void Session::let_go() noexcept {
    if (shared_.closed.exchange(true)) return;
    if (pool_.closed) pool_.closed(this, false);
}

SessionStats Session::stats() const {
    SessionStats stats;
    shared_.counters.read(stats);
    stats.hung = shared_.hung;
    stats.max_inference_seconds = plan_.max_inference_seconds;
    stats.worker_seconds = plan_.worker_seconds;
    stats.last_error = shared_.last_error.text();
    return stats;
}

}  // namespace neutone_like
