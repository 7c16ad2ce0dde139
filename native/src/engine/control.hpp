// What other threads do with a session; they may wait.
#pragma once

#include <cstdint>

#include "engine/audio_side.hpp"
#include "engine/held.hpp"
#include "engine/pool_view.hpp"
#include "engine/session_plan.hpp"
#include "engine/shared.hpp"
#include "engine/stop_request.hpp"
#include "engine/worker_side.hpp"

namespace neutone_like {

class Control {
public:
    Control(const SessionPlan& plan, Shared& shared, AudioSide& audio, WorkerSide& workers, const PoolView& pool)
        : plan_(plan), shared_(shared), audio_(audio), workers_(workers), pool_(pool) {}

    void reset(const StopRequest& stop);
    void wait_idle(const StopRequest& stop);
    void wait_until_left(uint64_t limit_ns, const StopRequest& stop) const noexcept;
    void process_offline(const float* const* in, float* const* out, int64_t samples, const float* const* values,
                         const StopRequest& stop);

private:
    // The stream as new, now and again when this goes.
    class FreshStart;
    void start(const Held& held) noexcept;

    const SessionPlan& plan_;
    Shared& shared_;
    AudioSide& audio_;
    WorkerSide& workers_;
    const PoolView& pool_;
};

}  // namespace neutone_like
