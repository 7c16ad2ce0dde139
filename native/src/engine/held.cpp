#include "engine/held.hpp"

#include <chrono>
#include <thread>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace {

constexpr auto kNap = std::chrono::microseconds(50);

struct Asking {
    explicit Asking(Ownership& for_it) noexcept : ownership(for_it) { ownership.ask(); }
    ~Asking() { ownership.ask_no_more(); }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    Ownership& ownership;
};

[[noreturn]] void raise_hung() {
    throw EngineError("The model does not return from a block, and the session was given up. Close it.");
}

}  // namespace

Held::Held(Shared& shared, const PoolView& pool, const StopRequest& stop) : shared_(shared), pool_(pool), stop_(stop) {
    require_open();
    take_ownership();
    check();  // whoever closed the session meanwhile may have found nobody in here
    shared_.workers.pauses.fetch_add(1);
    paused_ = true;
    take(shared_.workers.front_busy, front_);
    take(shared_.workers.back_busy, back_);
    while (shared_.workers.running > 0) nap();
}

void Held::require_open() const {
    if (shared_.closed) throw EngineError("The session is closed. Open a new one with Engine.open.");
    if (shared_.hung) raise_hung();
    if (is_stopped(stop_)) throw Interrupted();
}

void Held::take_ownership() {
    if (shared_.ownership.is_this_threads()) {
        throw EngineError("A model can't reset, close or render the session that is playing it.");
    }
    const uint64_t limit = now_ns() + static_cast<uint64_t>(1e9 * pool_.watchdog_seconds);
    const Asking asking(shared_.ownership);
    for (;;) {
        const Ownership::Owner before = shared_.ownership.take(Ownership::kControl);
        if (before == Ownership::kFree) break;
        if (before == Ownership::kAudio && now_ns() > limit) raise_hung();
        nap();
    }
    owner_ = true;
}

void Held::take(std::atomic<bool>& flag, bool& held) {
    while (flag.exchange(true)) nap();
    held = true;
}

void Held::check() {
    try {
        require_open();
    } catch (...) {
        release();
        throw;
    }
}

// A backend that never returns would keep us waiting for ever.
void Held::nap() {
    check();
    std::this_thread::sleep_for(kNap);
}

void Held::release() noexcept {
    if (back_) shared_.workers.back_busy = false;
    if (front_) shared_.workers.front_busy = false;
    if (paused_) shared_.workers.pauses.fetch_sub(1);
    if (owner_) shared_.ownership.leave();
    owner_ = paused_ = front_ = back_ = false;
    pool_.wake_worker();
}

}  // namespace neutone_like
