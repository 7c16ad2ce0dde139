// Commits every offence on purpose, on a thread of its own, and looks whether its counter moved.
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "control_table.hpp"
#include "run.hpp"

extern "C" void neutone_like_rt_enter();
extern "C" void neutone_like_rt_leave();

namespace neutone_like::realtime_safety {

SelfTestResult self_test_results[most_controls];
int self_test_count = 0;
bool self_test_was_silent = false;

namespace {

uint64_t all_counts(const ThreadState& state) {
    uint64_t sum = 0;
    for (const Tally& each : state.tallies) sum += each.count;
    return sum;
}

int find_counter(const char* name) {
    for (int index = 0; index < counter_count; ++index) {
        if (strcmp(counter_names[index], name) == 0) return index;
    }
    return -1;
}

bool can_be_committed(const neutone_like_rt_control& control) {
    const int counter = find_counter(control.counter);
    return counter < 0 || is_there(static_cast<Counter>(counter));
}

void arrange(const neutone_like_rt_control& control) {
    if (control.arrange != nullptr) control.arrange();
}

void tidy(const neutone_like_rt_control& control) {
    if (control.tidy != nullptr) control.tidy();
}

constexpr int attempts = 3;  // the kernel may move a page now and then

// Nothing may move where nothing is done in the section, whatever is done outside it.
bool is_silent(ThreadState& state, const neutone_like_rt_control* controls) {
    const uint64_t before = all_counts(state);
    for (const neutone_like_rt_control* each = controls; each->counter != nullptr; ++each) {
        if (!can_be_committed(*each)) continue;
        arrange(*each);
        neutone_like_rt_enter();
        neutone_like_rt_leave();
        each->commit();
        tidy(*each);
    }
    return all_counts(state) == before;
}

SelfTestResult commit(const ThreadState& state, const neutone_like_rt_control& control) {
    const int counter = find_counter(control.counter);
    if (counter < 0) return {control.counter, false, false};
    const Tally& counted = state.tallies[counter];
    const uint64_t before = counted.count;
    arrange(control);
    neutone_like_rt_enter();
    control.commit();
    neutone_like_rt_leave();
    tidy(control);
    return {control.counter, counted.count > before, counted.first.depth > 0};
}

void* test(void* table) {
    const auto* controls = static_cast<const neutone_like_rt_control*>(table);
    ThreadState* state = registered_thread();
    if (state == nullptr) return nullptr;
    state->probe = true;
    neutone_like_rt_enter();  // the first one pays for what is touched first
    neutone_like_rt_leave();
    for (int attempt = 0; attempt < attempts && !self_test_was_silent; ++attempt) {
        self_test_was_silent = is_silent(*state, controls);
    }
    for (const neutone_like_rt_control* each = controls; each->counter != nullptr; ++each) {
        if (!can_be_committed(*each) || self_test_count == most_controls) continue;
        self_test_results[self_test_count++] = commit(*state, *each);
    }
    return nullptr;
}

}  // namespace
}  // namespace neutone_like::realtime_safety

using namespace neutone_like::realtime_safety;

// `path` is the shared object with the controls. Returns 0 when they were run; what they showed is in the report.
extern "C" __attribute__((visibility("default"))) int neutone_like_rt_self_test(const char* path) {
    void* object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (object == nullptr) return -1;
    auto entry = reinterpret_cast<neutone_like_rt_controls_entry>(dlsym(object, NEUTONE_LIKE_RT_CONTROLS));
    if (entry == nullptr) return -1;
    pthread_t thread;
    const void* controls = entry();
    if (pthread_create(&thread, nullptr, test, const_cast<void*>(controls)) != 0) return -1;
    return pthread_join(thread, nullptr);
}
