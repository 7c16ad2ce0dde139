// The libtorch backend's table: plays `.nm` artifacts (TorchScript) on the CPU. `source` is a path; options.hpp has the
// options.
//
// Everything runs in inference mode: it costs least per operation. Tensors that a module was loaded with may be changed
// in place there, and what is made there is only ever used there.
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/serialization/import.h>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "options.hpp"
#include "player.hpp"
#include "report.hpp"

namespace neutone_like::torch_backend {

namespace {

struct Instance {
    std::unique_ptr<Player> player;
    nl_facts facts{};
};

// What this thread computes under, whatever Python has set for it: autocast would compute in half precision, and
// TorchScript would keep its casts.
class Settings {
public:
    Settings() { allow_autocast(false); }
    ~Settings() { allow_autocast(true); }
    Settings(const Settings&) = delete;
    Settings& operator=(const Settings&) = delete;

private:
    void allow_autocast(bool allowed) {
        if (autocast_) at::autocast::set_autocast_enabled(at::kCPU, allowed);
    }

    const c10::InferenceMode inference_;
    const bool autocast_ = at::autocast::is_autocast_enabled(at::kCPU);
};

Player& player_of(void* instance) { return *static_cast<Instance*>(instance)->player; }

torch::jit::Module load(const std::string& source) {
    try {
        return torch::jit::load(source, c10::Device(c10::DeviceType::CPU));
    } catch (const std::exception& problem) {
        throw std::runtime_error(
            source +
            " is no TorchScript archive that torch " NEUTONE_LIKE_TORCH_VERSION " can load: " + describe(problem));
    }
}

nl_status create(const char* source, const char* options, void** instance, nl_error error) {
    return guarded(error, [&] {
        const Options chosen = parse_options(options == nullptr ? "" : options);
        // Loaded as ordinary tensors; only what runs is in inference mode.
        torch::jit::Module wrapper = load(source);
        const Settings settings;
        *instance = new Instance{chosen.whole_wrapper ? make_wrapper_player(std::move(wrapper), source, chosen)
                                                      : make_model_player(std::move(wrapper), source)};
    });
}

nl_status clone(void* instance, void** copy, nl_error error) {
    return guarded(error, [&] {
        const Settings settings;
        *copy = new Instance{player_of(instance).clone(), static_cast<Instance*>(instance)->facts};
    });
}

nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
    return guarded(error, [&] {
        const Settings settings;
        nl_facts& known = static_cast<Instance*>(instance)->facts;
        known = {static_cast<int32_t>(player_of(instance).prepare(*setup)), 0, nullptr};
        *facts = known;
    });
}

nl_status process(void* instance, const nl_block* block, nl_error error) {
    return guarded(error, [&] {
        const Settings settings;
        player_of(instance).process(*block);
    });
}

nl_status reset(void* instance, nl_error error) {
    return guarded(error, [&] {
        const Settings settings;
        player_of(instance).reset();
    });
}

void destroy(void* instance) {
    const Settings settings;
    delete static_cast<Instance*>(instance);
}

// One thread for the operations of this one. Libtorch also takes the last count that any thread asked for as that of
// every thread which comes after, so a thread that ends at once puts back what was there: one worker at a time, or the
// next would put back the first one's.
void thread_started() {
    static std::mutex& mutex = *new std::mutex;  // never destroyed: a worker that was left behind may still be inside
    const std::lock_guard lock(mutex);
    const int others = at::get_num_threads();
    at::set_num_threads(1);
    try {
        std::thread([others] { at::set_num_threads(others); }).join();
    } catch (const std::system_error&) {
        // The system gives no further thread: then there is none that would need more.
    }
}

const nl_backend table = {NL_BACKEND_ABI, "libtorch", create, clone, prepare, process, reset, destroy, thread_started};

// "2.13.0" out of libtorch's own description of itself, or nothing where it doesn't say.
std::string running_version() {
    const std::string mark = "TORCH_VERSION=";
    const std::string text = at::show_config();
    const size_t start = text.find(mark);
    if (start == std::string::npos) return "";
    const size_t first = start + mark.size();
    return text.substr(first, text.find_first_of(", \n", first) - first);
}

}  // namespace

}  // namespace neutone_like::torch_backend

extern "C" {

// `torch.__version__` of the torch that this was built for. Weak, so that what the file says is what is compared.
__attribute__((visibility("default"), weak)) extern const char neutone_like_torch_version[] =
    NEUTONE_LIKE_TORCH_VERSION;

__attribute__((visibility("default"))) const nl_backend* neutone_like_backend(nl_error error) {
    using namespace neutone_like::torch_backend;
    const std::string built_for = neutone_like_torch_version;
    const std::string running = running_version();
    if (built_for.compare(0, running.size(), running) != 0) {
        write_message(error, "This libtorch backend was built for torch " + built_for + ", but torch " + running +
                                 " is loaded. Rebuild it: python -m neutone_like.runtime.build_torch_backend");
        return nullptr;
    }
    return &table;
}
}
