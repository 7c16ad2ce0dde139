#include "engine/worker_side.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace {

// Held by whoever got there first; nobody waits for it.
class TryFlag {
public:
    explicit TryFlag(std::atomic<bool>& flag) noexcept : flag_(flag), held_(!flag.exchange(true)) {}
    ~TryFlag() {
        if (held_) flag_.store(false);
    }
    TryFlag(const TryFlag&) = delete;
    TryFlag& operator=(const TryFlag&) = delete;
    explicit operator bool() const noexcept { return held_; }

private:
    std::atomic<bool>& flag_;
    bool held_;
};

// Counts a worker in before it looks whether the session is paused. Who pauses it counts itself in before it looks for
// workers, so that one of the two always sees the other.
class CountedIn {
public:
    explicit CountedIn(std::atomic<int>& count) noexcept : count_(count) { count_.fetch_add(1); }
    ~CountedIn() { count_.fetch_sub(1); }
    CountedIn(const CountedIn&) = delete;
    CountedIn& operator=(const CountedIn&) = delete;

private:
    std::atomic<int>& count_;
};

}  // namespace

WorkerSide::WorkerSide(const SessionPlan& plan, Shared& shared, const PoolView& pool, Runners runners)
    : plan_(plan),
      shared_(shared),
      marks_(shared.workers),
      pool_(pool),
      runners_(std::move(runners)),
      blocks_(plan.slots()) {
    for (ModelBlock& block : blocks_) {
        block.prepare(plan.config, plan.stream.longest_block, static_cast<int>(plan.config.parameters.size()));
    }
    front_.prepare(plan.config, plan.stream);
    back_.prepare(plan.config, plan.stream, plan.delay, plan.output_channels);
    shared_.published = back_.start(shared_.output);
}

uint64_t WorkerSide::next_deadline() const noexcept {
    if (shared_.closed || shared_.hung || marks_.pauses > 0) return kNothing;
    if (shared_.restart_wanted) return marks_.running > 0 || marks_.front_busy || marks_.back_busy ? kNothing : 0;
    uint64_t earliest = kNothing;
    const uint64_t emptied = marks_.emptied;
    const uint64_t filled = marks_.filled;
    const bool runner_is_free =
        std::any_of(marks_.runner_busy.begin(), marks_.runner_busy.end(), [](const auto& busy) { return !busy; });
    for (uint64_t sequence = emptied; sequence < filled; ++sequence) {
        const SlotMark& slot = mark(sequence);
        const int state = slot.state;
        const bool can_run = state == SlotMark::kReady && runner_is_free;
        const bool can_empty = state == SlotMark::kDone && sequence == emptied && !marks_.back_busy;
        if (can_run || can_empty) earliest = std::min(earliest, slot.deadline.load(std::memory_order_relaxed));
    }
    if (!marks_.front_busy && filled - emptied < blocks_.size()) {
        if (marks_.leftover) {
            earliest = std::min(earliest, marks_.leftover_deadline.load(std::memory_order_relaxed));
        } else if (shared_.complete > shared_.taken) {
            earliest = std::min(earliest, shared_.packets.front_deadline());
        }
    }
    return earliest;
}

bool WorkerSide::work() noexcept {
    if (shared_.restart_wanted) return restart();
    const bool filled = fill_slots();
    const bool ran = run_slot();
    const bool emptied = empty_slots();
    return filled || ran || emptied;
}

bool WorkerSide::fill_slots() noexcept {
    const TryFlag front(marks_.front_busy);
    if (!front || marks_.pauses > 0 || shared_.restart_wanted) return false;
    int count = 0;
    while (marks_.filled - marks_.emptied < blocks_.size()) {
        const uint64_t sequence = marks_.filled;
        if (marks_.forget_past.exchange(false)) front_.forget_past();
        const uint64_t deadline = marks_.leftover ? marks_.leftover_deadline.load() : shared_.packets.front_deadline();
        const bool complete = front_.next(shared_.packets, shared_.input, blocks_[sequence % blocks_.size()]);
        shared_.taken.store(front_.taken_position());
        marks_.leftover_deadline = deadline;
        marks_.leftover = front_.has_block();
        if (const uint64_t nonfinite = front_.take_nonfinite_count(); nonfinite > 0) {
            shared_.counters.nonfinite_input_samples.add(nonfinite);
        }
        if (!complete) break;
        mark(sequence).deadline.store(deadline, std::memory_order_relaxed);
        mark(sequence).state.store(SlotMark::kReady);
        marks_.filled.fetch_add(1);
        if (++count > 1) pool_.wake_worker();
    }
    return count > 0;
}

bool WorkerSide::run_slot() noexcept {
    const CountedIn running(marks_.running);
    if (marks_.pauses > 0) return false;
    for (uint64_t sequence = marks_.emptied; sequence < marks_.filled; ++sequence) {
        SlotMark& slot = mark(sequence);
        if (slot.state != SlotMark::kReady) continue;
        for (size_t index = 0; index < runners_.size(); ++index) {
            const TryFlag busy(marks_.runner_busy[index]);
            if (!busy) continue;
            int expected = SlotMark::kReady;
            if (!slot.state.compare_exchange_strong(expected, SlotMark::kRunning)) break;
            run_block(blocks_[sequence % blocks_.size()], *runners_[index]);
            if (!shared_.hung) slot.state.store(SlotMark::kDone);
            return true;
        }
    }
    return false;
}

void WorkerSide::run_block(ModelBlock& block, Runner& runner) noexcept {
    char message[1024];
    const RunResult result = runner.run(block, message, sizeof message);
    shared_.inference_time.add_shared(result.nanoseconds);
    shared_.counters.model_blocks.add(1);
    shared_.counters.nonfinite_samples.add(result.nonfinite_samples);
    if (result.status != NL_OK) {
        shared_.counters.failed_blocks.add(1);
        shared_.last_error.keep(message);
    }
    if (result.status != NL_OK || result.nonfinite_samples > 0) marks_.forget_past = true;
}

void WorkerSide::publish(const ModelBlock& block) noexcept {
    const int64_t position = shared_.published.load(std::memory_order_relaxed);
    const int64_t now_there = position + back_.push(block, shared_.output, position);
    shared_.published.store(now_there);  // in one order with what the bell looks at
    shared_.bell.ring(now_there);
}

bool WorkerSide::empty_slots() noexcept {
    const auto can_empty = [this] {
        return marks_.pauses == 0 && marks_.emptied != marks_.filled && mark(marks_.emptied).state == SlotMark::kDone;
    };
    bool did = false;
    while (can_empty()) {
        const TryFlag back(marks_.back_busy);
        if (!back) return did;  // its holder looks again after letting go
        if (!can_empty() || shared_.restart_wanted) return did;
        const uint64_t sequence = marks_.emptied;
        const ModelBlock& block = blocks_[sequence % blocks_.size()];
        publish(block);
        shared_.turnaround_time.add_shared(now_ns() - block.pushed_ns);
        mark(sequence).state.store(SlotMark::kEmpty);
        marks_.emptied.fetch_add(1);
        did = true;
    }
    return did;
}

bool WorkerSide::restart() noexcept {
    const TryFlag front(marks_.front_busy);
    const TryFlag back(marks_.back_busy);
    if (!front || !back || !shared_.restart_wanted) return false;  // another worker may have done it meanwhile
    marks_.pauses.fetch_add(1);
    const bool free = marks_.running == 0;
    if (free) {
        start();
        shared_.restart_wanted.store(false, std::memory_order_release);
    }
    marks_.pauses.fetch_sub(1);
    return free;
}

// Everything on this side as new. The caller holds all of it.
void WorkerSide::start() noexcept {
    shared_.packets.clear();
    shared_.complete = shared_.taken = 0;
    marks_.leftover = false;
    marks_.forget_past = false;
    for (SlotMark& slot : marks_.slots) slot.state = SlotMark::kEmpty;
    marks_.emptied = marks_.filled.load();  // neither goes back: others compare the two at any time
    front_.reset();
    for (const auto& runner : runners_) {
        try {
            runner->reset();
        } catch (const std::exception& error) {
            shared_.counters.failed_blocks.add(1);
            shared_.last_error.keep(error.what());
        }
    }
    shared_.published.store(back_.start(shared_.output), std::memory_order_release);
}

void WorkerSide::run_all(const Held&) noexcept {
    ModelBlock& block = blocks_.front();
    while (front_.next(shared_.packets, shared_.input, block)) {
        run_block(block, *runners_.front());
        if (marks_.forget_past.exchange(false)) front_.forget_past();
        publish(block);
    }
    shared_.counters.nonfinite_input_samples.add(front_.take_nonfinite_count());
}

bool WorkerSide::looks_idle() const noexcept {
    return !shared_.restart_wanted && !marks_.leftover && shared_.complete <= shared_.taken &&
           marks_.filled == marks_.emptied;
}

// What seems to be idle may be a block on its way from one place to the next. While the front is held none begins.
bool WorkerSide::is_idle() noexcept {
    if (!looks_idle()) return false;
    if (plan_.config.mode == Mode::inline_) return !marks_.front_busy;
    bool idle = false;
    {
        const TryFlag front(marks_.front_busy);
        idle = front && looks_idle();
    }
    pool_.wake_worker();  // for a worker that found the front taken
    return idle;
}

}  // namespace neutone_like
