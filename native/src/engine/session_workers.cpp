// The workers' side of a session: they never wait for one another; who finds a part taken leaves it.
#include <algorithm>
#include <exception>

#include "engine/realtime_thread.hpp"
#include "engine/session.hpp"

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

uint64_t Session::next_deadline() const noexcept {
    if (closed_ || hung_ || pauses_ > 0) return kNothing;
    if (restart_wanted_) return running_ > 0 || front_busy_ || back_busy_ ? kNothing : 0;
    uint64_t earliest = kNothing;
    const uint64_t emptied = emptied_;
    const uint64_t filled = filled_;
    const bool runner_is_free = std::any_of(runner_busy_.begin(), runner_busy_.end(), [](const auto& busy) { return !busy; });
    for (uint64_t sequence = emptied; sequence < filled; ++sequence) {
        const Slot& slot = slots_[sequence % slots_.size()];
        const int state = slot.state;
        const bool can_run = state == kReady && runner_is_free;
        const bool can_empty = state == kDone && sequence == emptied && !back_busy_;
        if (can_run || can_empty) earliest = std::min(earliest, slot.deadline.load(std::memory_order_relaxed));
    }
    if (!front_busy_ && filled - emptied < slots_.size()) {
        if (leftover_) {
            earliest = std::min(earliest, leftover_deadline_.load(std::memory_order_relaxed));
        } else if (complete_ > taken_) {
            earliest = std::min(earliest, packets_.front_deadline());
        }
    }
    return earliest;
}

bool Session::work() noexcept {
    if (restart_wanted_) return restart();
    const bool filled = fill_slots();
    const bool ran = run_slot();
    const bool emptied = empty_slots();
    return filled || ran || emptied;
}

bool Session::fill_slots() noexcept {
    const TryFlag front(front_busy_);
    if (!front || pauses_ > 0 || restart_wanted_) return false;
    int count = 0;
    while (filled_ - emptied_ < slots_.size()) {
        Slot& slot = slots_[filled_ % slots_.size()];
        if (forget_past_.exchange(false)) front_.forget_past();
        const uint64_t deadline = leftover_ ? leftover_deadline_.load() : packets_.front_deadline();
        const bool complete = front_.next(packets_, input_, slot.block);
        taken_.store(front_.taken_position());
        leftover_deadline_ = deadline;
        leftover_ = front_.has_block();
        if (const uint64_t count_of_nan = front_.take_nonfinite_count(); count_of_nan > 0) {
            nonfinite_input_.fetch_add(count_of_nan, std::memory_order_relaxed);
        }
        if (!complete) break;
        slot.deadline.store(deadline, std::memory_order_relaxed);
        slot.state.store(kReady);
        filled_.fetch_add(1);
        if (++count > 1 && pool_.wake) pool_.wake();
    }
    return count > 0;
}

bool Session::run_slot() noexcept {
    const CountedIn running(running_);
    if (pauses_ > 0) return false;
    for (uint64_t sequence = emptied_; sequence < filled_; ++sequence) {
        Slot& slot = slots_[sequence % slots_.size()];
        if (slot.state != kReady) continue;
        for (size_t index = 0; index < runners_.size(); ++index) {
            const TryFlag busy(runner_busy_[index]);
            if (!busy) continue;
            int expected = kReady;
            if (!slot.state.compare_exchange_strong(expected, kRunning)) break;
            run_block(slot, *runners_[index]);
            if (!hung_) slot.state.store(kDone);
            return true;
        }
    }
    return false;
}

void Session::run_block(Slot& slot, Runner& runner) noexcept {
    char message[1024];
    const RunResult result = runner.run(slot.block, message, sizeof message);
    inference_time_.add_shared(result.nanoseconds);
    blocks_.fetch_add(1, std::memory_order_relaxed);
    nonfinite_.fetch_add(result.nonfinite_samples, std::memory_order_relaxed);
    if (result.status != NL_OK) {
        failed_.fetch_add(1, std::memory_order_relaxed);
        keep_error(message);
    }
    if (result.status != NL_OK || result.nonfinite_samples > 0) forget_past_ = true;
}

bool Session::empty_slots() noexcept {
    bool did = false;
    while (true) {
        Slot* next = &slots_[emptied_ % slots_.size()];
        if (pauses_ > 0 || emptied_ == filled_ || next->state != kDone) return did;
        const TryFlag back(back_busy_);
        if (!back) return did;  // its holder looks again after letting go
        next = &slots_[emptied_ % slots_.size()];
        if (pauses_ > 0 || restart_wanted_ || emptied_ == filled_ || next->state != kDone) return did;
        const int64_t position = published_.load(std::memory_order_relaxed);
        published_.store(position + back_.push(next->block, output_, position), std::memory_order_release);
        turnaround_time_.add_shared(now_ns() - next->block.pushed_ns);
        next->state.store(kEmpty);
        emptied_.fetch_add(1);
        did = true;
    }
}

bool Session::restart() noexcept {
    const TryFlag front(front_busy_);
    const TryFlag back(back_busy_);
    if (!front || !back || !restart_wanted_) return false;  // another worker may have done it meanwhile
    pauses_.fetch_add(1);
    const bool free = running_ == 0;
    if (free) {
        restart_stream();
        restart_wanted_.store(false, std::memory_order_release);
    }
    pauses_.fetch_sub(1);
    return free;
}

// Everything on the workers' side as new. The caller holds all of it.
void Session::restart_stream() noexcept {
    packets_.clear();
    complete_ = taken_ = 0;
    leftover_ = false;
    forget_past_ = false;
    for (Slot& slot : slots_) slot.state = kEmpty;
    emptied_ = filled_.load();  // neither goes back: others compare the two at any time
    front_.reset();
    for (const auto& runner : runners_) {
        try {
            runner->reset();
        } catch (const std::exception& error) {
            failed_.fetch_add(1, std::memory_order_relaxed);
            keep_error(error.what());
        }
    }
    published_.store(back_.start(output_), std::memory_order_release);
}

void Session::keep_error(const char* message) noexcept {
    try {
        const std::lock_guard lock(error_mutex_);
        last_error_ = message;
    } catch (const std::exception&) {
        // No memory for a message: the failure itself is counted.
    }
}

bool Session::looks_idle() const noexcept {
    return !restart_wanted_ && !leftover_ && complete_ <= taken_ && filled_ == emptied_;
}

// What seems to be idle may be a block on its way from one place to the next. While the front is held none begins.
bool Session::is_idle() noexcept {
    if (!looks_idle()) return false;
    if (config_.mode == Mode::inline_) return !front_busy_;
    bool idle = false;
    {
        const TryFlag front(front_busy_);
        idle = front && looks_idle();
    }
    if (pool_.wake) pool_.wake();  // for a worker that found the front taken
    return idle;
}

}  // namespace neutone_like
