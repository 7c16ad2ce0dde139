#include "engine/pool.hpp"

#include <semaphore.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "engine/call_watch.hpp"
#include "engine/realtime_thread.hpp"

namespace neutone_like {

namespace {

constexpr std::chrono::microseconds kPollingPause{50};
constexpr std::chrono::microseconds kIdlePause{2000};
constexpr uint64_t kStreamIsOverNs = 1'000'000'000;  // after so long without a block

enum PlaceState : int { kFree, kActive, kLeaving };

// Where the pool keeps a session. Workers hold a place while they look at it, so that it is not cleared under them.
struct Place {
    std::atomic<int> state{kFree};
    std::atomic<int> holders{0};
    std::shared_ptr<Session> session;
};

struct Worker {
    std::thread thread;
    std::thread::id id;
    std::atomic<pid_t> system_id{0};
    CallWatch watch;                      // [watchdog, and who stops the pool after it]
    std::atomic<uint64_t> busy_since{0};  // ns; 0: idle
    std::atomic<Session*> session{nullptr};
    std::atomic<bool> left_behind{false};
    std::atomic<bool> realtime{false};
    std::atomic<bool> started{false};  // and has asked for its priority
    std::atomic<uint64_t> turns{0};
    std::atomic<bool> ended{false};
    std::atomic<double> last_cpu_seconds{0.0};
    std::atomic<clockid_t> clock{CLOCK_MONOTONIC};
    std::atomic<bool> has_clock{false};
};

}  // namespace

struct Pool::Shared {
    explicit Shared(const EngineConfig& wanted) : config(wanted) { sem_init(&work, 0, 0); }
    ~Shared() { sem_destroy(&work); }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    void wake() noexcept { sem_post(&work); }
    void rest() noexcept;
    Place* pick() noexcept;
    void run(Worker& worker);
    // Sessions that nobody looks at any more, for the caller to let go of once it has let go of `mutex`: what a
    // backend does when it is destroyed is its own business. Called with `mutex` held.
    [[nodiscard]] std::vector<std::shared_ptr<Session>> take_left_sessions();

    void let_go_of_left_sessions();  // takes `mutex`
    void close(const Session* session, bool wait);
    bool is_own_thread() const;                               // with `mutex` held
    void wait_for_workers(const StopRequest& stop) noexcept;  // when there is no watchdog any more
    bool is_forked() const noexcept { return getpid() != process; }

    static void start(const std::shared_ptr<Shared>& self);  // throws std::system_error when the system gives no thread
    static void watch(const std::shared_ptr<Shared>& self);

    // Both are called with `mutex` held.
    static void start_worker(const std::shared_ptr<Shared>& self);
    static void replace_stuck(const std::shared_ptr<Shared>& self, uint64_t limit_ns);

    EngineConfig config;
    const pid_t process = getpid();
    sem_t work;
    std::atomic<bool> stopping{false};
    std::array<Place, kMostSessions> places;
    std::atomic<int> places_used{0};
    std::atomic<int> sessions_active{0};
    std::atomic<uint64_t> last_turn_ns{0};
    mutable std::mutex mutex;  // opening, closing, statistics, watchdog; never the audio thread nor a running worker
    std::condition_variable stopped;
    std::vector<std::shared_ptr<Worker>> workers;
    std::thread watchdog;
};

// Nobody wakes those that poll, but who gives them a session or stops them.
void Pool::Shared::rest() noexcept {
    if (config.polling && sessions_active > 0) {
        const uint64_t last = last_turn_ns;
        std::this_thread::sleep_for(now_ns() - last < kStreamIsOverNs ? kPollingPause : kIdlePause);
        return;
    }
    while (sem_wait(&work) != 0 && errno == EINTR) {
    }
}

// The place whose session has the earliest deadline, held; null when there is nothing to do.
Place* Pool::Shared::pick() noexcept {
    Place* best = nullptr;
    uint64_t earliest = Session::kNothing;
    const int used = places_used;
    for (int index = 0; index < used; ++index) {
        Place& place = places[index];
        if (place.state != kActive) continue;
        place.holders.fetch_add(1);
        const uint64_t deadline = place.state == kActive ? place.session->next_deadline() : Session::kNothing;
        if (deadline < earliest) {
            if (best != nullptr) best->holders.fetch_sub(1);
            best = &place;
            earliest = deadline;
        } else {
            place.holders.fetch_sub(1);
        }
    }
    return best;
}

void Pool::Shared::run(Worker& worker) {
    const FlushDenormals flush;
    clockid_t clock;
    if (pthread_getcpuclockid(pthread_self(), &clock) == 0) {
        worker.clock = clock;
        worker.has_clock = true;
    }
    worker.system_id = this_thread();
    if (config.realtime_priority) worker.realtime = take_realtime_priority(kWorkerPriority);
    worker.started = true;
    worker.started.notify_all();
    std::vector<const nl_backend*> greeted;
    while (!stopping && !worker.left_behind) {
        Place* place = pick();
        if (place == nullptr) {
            rest();
            continue;
        }
        // Held until the turn is over, by this thread too, so that a session given up is not destroyed under its model.
        const std::shared_ptr<Session> session = place->session;
        if (std::find(greeted.begin(), greeted.end(), session->backend()) == greeted.end()) {
            session->thread_started();
            greeted.push_back(session->backend());
        }
        worker.session = session.get();
        worker.busy_since = now_ns();
        session->work();
        last_turn_ns.store(now_ns(), std::memory_order_relaxed);
        worker.busy_since = 0;
        worker.session = nullptr;
        worker.turns.fetch_add(1, std::memory_order_relaxed);
        place->holders.fetch_sub(1);
    }
    if (stopping) let_go_of_left_sessions();  // there may be no watchdog any more to do it
    worker.last_cpu_seconds = thread_cpu_seconds();
    worker.has_clock = false;
    worker.ended = true;
}

void Pool::Shared::let_go_of_left_sessions() {
    std::vector<std::shared_ptr<Session>> left;
    const std::lock_guard lock(mutex);
    left = take_left_sessions();
}

void Pool::Shared::start_worker(const std::shared_ptr<Shared>& self) {
    auto worker = std::make_shared<Worker>();
    self->workers.reserve(self->workers.size() + 1);
    worker->thread = std::thread([self, worker] { self->run(*worker); });
    worker->id = worker->thread.get_id();
    pthread_setname_np(worker->thread.native_handle(), "neutone-worker");
    self->workers.push_back(std::move(worker));
}

void Pool::Shared::replace_stuck(const std::shared_ptr<Shared>& self, uint64_t limit_ns) {
    const size_t count = self->workers.size();
    for (size_t index = 0; index < count; ++index) {
        Worker& worker = *self->workers[index];
        const uint64_t since = worker.busy_since;
        Session* session = worker.session;
        const uint64_t spent = worker.left_behind ? 0 : worker.watch.spent_ns(since, worker.system_id);
        if (spent < limit_ns || session == nullptr) continue;
        if (worker.busy_since != since) continue;  // a new turn, perhaps with another session
        session->give_up();
        try {
            start_worker(self);
        } catch (const std::exception&) {
            return;  // no thread to be had: the next round tries again
        }
        worker.left_behind = true;
        worker.thread.detach();
    }
}

std::vector<std::shared_ptr<Session>> Pool::Shared::take_left_sessions() {
    std::vector<std::shared_ptr<Session>> left;
    for (Place& place : places) {
        if (place.state != kLeaving || place.holders != 0) continue;
        left.push_back(std::move(place.session));
        place.session.reset();
        place.state = kFree;
    }
    return left;
}

void Pool::Shared::start(const std::shared_ptr<Shared>& self) {
    const std::lock_guard lock(self->mutex);
    for (int index = 0; index < self->config.workers; ++index) start_worker(self);
    for (const auto& worker : self->workers) worker->started.wait(false);
    self->watchdog = std::thread([self] { watch(self); });
}

void Pool::Shared::watch(const std::shared_ptr<Shared>& self) {
    const auto limit_ns = static_cast<uint64_t>(1e9 * self->config.watchdog_seconds);
    const auto pause = std::chrono::duration<double>(std::min(self->config.watchdog_seconds / 4, 0.25));
    std::unique_lock lock(self->mutex);
    while (!self->stopped.wait_for(lock, pause, [&] { return self->stopping.load(); })) {
        replace_stuck(self, limit_ns);
        auto left = self->take_left_sessions();
        lock.unlock();
        left.clear();
        lock.lock();
    }
}

Pool::Pool(const EngineConfig& config) : shared_(std::make_shared<Shared>(config)) {
    try {
        Shared::start(shared_);
    } catch (const std::exception&) {
        stop();
        throw;
    }
}

Pool::~Pool() { stop(); }

bool Pool::Shared::is_own_thread() const {
    const auto self = std::this_thread::get_id();
    return std::any_of(workers.begin(), workers.end(), [&](const auto& worker) { return worker->id == self; });
}

void Pool::Shared::close(const Session* session, bool wait) {
    if (is_forked()) return;  // a thread that isn't here may have had the mutex
    std::vector<std::shared_ptr<Session>> left;
    std::unique_lock lock(mutex);
    for (Place& place : places) {
        if (place.state != kActive || place.session.get() != session) continue;
        place.state = kLeaving;
        --sessions_active;
        // A worker is done within its block; one that never is, the watchdog notices, and clears up after it.
        const bool waits = wait && !is_own_thread();
        for (int nap = 0; waits && place.state == kLeaving && place.holders > 0 && nap < 2000; ++nap) {
            lock.unlock();
            std::this_thread::sleep_for(std::chrono::microseconds(100));
            lock.lock();
        }
    }
    left = take_left_sessions();
    lock.unlock();
}

PoolView Pool::view() const {
    PoolView view;
    view.workers = shared_->config.workers;
    view.realtime_priority = shared_->config.realtime_priority;
    view.watchdog_seconds = shared_->config.watchdog_seconds;
    for (const auto& session : sessions()) view.load_seconds += session->callback_work_seconds() / view.workers;
    // A session keeps the pool's memory until it leaves its place there.
    if (!shared_->config.polling) view.wake = [shared = shared_] { shared->wake(); };
    view.closed = [weak = std::weak_ptr<Shared>(shared_)](const Session* session, bool wait) {
        if (const auto shared = weak.lock()) shared->close(session, wait);
    };
    return view;
}

void Pool::add(std::shared_ptr<Session> session) {
    const std::lock_guard lock(shared_->mutex);
    for (int index = 0; index < kMostSessions; ++index) {
        Place& place = shared_->places[index];
        if (place.state != kFree) continue;
        place.session = std::move(session);
        place.state = kActive;
        ++shared_->sessions_active;
        shared_->last_turn_ns = now_ns();
        for (int worker = 0; shared_->config.polling && worker < shared_->config.workers; ++worker) shared_->wake();
        shared_->places_used = std::max(shared_->places_used.load(), index + 1);
        return;
    }
    throw EngineError("An engine plays up to " + std::to_string(kMostSessions) +
                      " sessions at once. Close some, or use another engine.");
}

bool Pool::is_forked() const noexcept { return shared_->is_forked(); }

// A worker inside a model gets the watchdog's time to come back. One that is not lacks nothing but a processor.
void Pool::Shared::wait_for_workers(const StopRequest& stop) noexcept {
    const auto limit_ns = static_cast<uint64_t>(1e9 * config.watchdog_seconds);
    const uint64_t start = now_ns();
    const auto is_awaited = [&](Worker& worker) {
        // The garbage collector may do this on any thread, even a worker.
        if (worker.ended || worker.left_behind || worker.id == std::this_thread::get_id()) return false;
        const uint64_t since = worker.busy_since;
        return worker.watch.spent_ns(since != 0 ? since : start, worker.system_id) < limit_ns;
    };
    while (!is_stopped(stop)) {
        int awaited = 0;
        for (const auto& worker : workers) awaited += is_awaited(*worker) ? 1 : 0;
        if (awaited == 0) return;
        for (int each = 0; each < awaited; ++each) wake();
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
}

void Pool::stop(const StopRequest& stop) noexcept {
    if (is_forked()) {
        for (const auto& worker : shared_->workers) new std::thread(std::move(worker->thread));  // never joined
        new std::thread(std::move(shared_->watchdog));
        return;
    }
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->stopping.exchange(true)) return;
    }
    shared_->stopped.notify_all();
    if (shared_->watchdog.joinable()) {  // it lets go of sessions, and of whatever their models hold: of the engine too
        const bool is_self = shared_->watchdog.get_id() == std::this_thread::get_id();
        is_self ? shared_->watchdog.detach() : shared_->watchdog.join();
    }
    shared_->wait_for_workers(stop);
    for (const auto& worker : shared_->workers) {
        if (worker->left_behind) continue;
        if (worker->ended) {
            worker->thread.join();
        } else {
            const std::lock_guard lock(shared_->mutex);  // so that the session is not let go of meanwhile
            worker->left_behind = true;
            if (Session* session = worker->session) session->give_up();
            worker->thread.detach();
        }
    }
    shared_->let_go_of_left_sessions();
}

std::vector<std::shared_ptr<Session>> Pool::sessions() const {
    const std::lock_guard lock(shared_->mutex);
    std::vector<std::shared_ptr<Session>> sessions;
    for (const Place& place : shared_->places) {
        if (place.state == kActive) sessions.push_back(place.session);
    }
    return sessions;
}

std::vector<WorkerStats> Pool::worker_stats() const {
    const std::lock_guard lock(shared_->mutex);
    std::vector<WorkerStats> all;
    for (const auto& worker : shared_->workers) {
        WorkerStats stats;
        timespec time{};
        if (worker->has_clock && clock_gettime(worker->clock, &time) == 0) {
            stats.cpu_seconds = static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
        } else {
            stats.cpu_seconds = worker->last_cpu_seconds;
        }
        stats.turns = worker->turns;
        stats.realtime_priority = worker->realtime;
        stats.left_behind = worker->left_behind;
        all.push_back(stats);
    }
    return all;
}

}  // namespace neutone_like
