// The workers' side of a session: they never wait for one another; who finds a part taken leaves it.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/pool_view.hpp"
#include "engine/session_plan.hpp"
#include "engine/shared.hpp"
#include "signal/back.hpp"
#include "signal/front.hpp"
#include "signal/model_block.hpp"

namespace neutone_like {

class Held;

class WorkerSide {
public:
    WorkerSide(const SessionPlan& plan, Shared& shared, const PoolView& pool, Runners runners);

    // The deadline of what could be done now, in ns; kNothing: nothing could.
    static constexpr uint64_t kNothing = ~uint64_t{0};
    uint64_t next_deadline() const noexcept;
    bool work() noexcept;  // does one block's work; false when there was none
    bool is_idle() noexcept;
    void thread_started() const noexcept { runners_.front()->thread_started(); }

    // For a thread that holds everything: the stream as new; whatever was handed over, on this thread, with parameters
    // from [parameters][samples] or, with nullptr, as they were handed over.
    void start(const Held&) noexcept { start(); }
    void run_all(const Held&) noexcept;
    void set_automation(const Held&, const float* const* rows) noexcept { front_.set_automation(rows); }

private:
    void start() noexcept;
    bool fill_slots() noexcept;
    bool run_slot() noexcept;
    bool empty_slots() noexcept;
    bool restart() noexcept;
    void run_block(ModelBlock& block, Runner& runner) noexcept;
    void publish(const ModelBlock& block) noexcept;
    bool looks_idle() const noexcept;
    SlotMark& mark(uint64_t sequence) const noexcept { return marks_.slots[sequence % marks_.slots.size()]; }

    const SessionPlan& plan_;
    Shared& shared_;
    WorkerMarks& marks_;
    const PoolView& pool_;
    Runners runners_;                 // whoever holds its mark
    std::vector<ModelBlock> blocks_;  // whoever its slot's state says
    StreamFront front_;               // whoever holds front_busy
    StreamBack back_;                 // whoever holds back_busy
};

}  // namespace neutone_like
