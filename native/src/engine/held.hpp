// All of a session in the hands of one thread that may wait. What needs that asks for one of these.
#pragma once

#include "engine/pool_view.hpp"
#include "engine/shared.hpp"
#include "engine/stop_request.hpp"

namespace neutone_like {

// The audio thread stays out, the workers have finished their blocks and begin no new ones.
class Held {
public:
    // Throws EngineError where the session is closed, its model does not return, or it is the model that asks; and
    // Interrupted.
    Held(Shared& shared, const PoolView& pool, const StopRequest& stop);
    ~Held() { release(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    // For what takes long: throws where it has lost its point.
    void require_open() const;

private:
    void take_ownership();
    void take(std::atomic<bool>& flag, bool& held);
    void check();  // require_open, or all is given back
    void nap();
    void release() noexcept;

    Shared& shared_;
    const PoolView& pool_;
    const StopRequest& stop_;
    bool owner_ = false;
    bool paused_ = false;
    bool front_ = false;
    bool back_ = false;
};

}  // namespace neutone_like
