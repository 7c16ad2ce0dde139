#include "engine/instance.hpp"

#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

namespace neutone_like {

namespace {

// Calls into a backend with room for its message.
struct Message {
    std::array<char, 2048> text{};
    nl_error error{text.data(), text.size()};

    [[noreturn]] void raise(const nl_backend* backend, const char* doing) const {
        throw EngineError(std::string("The backend '") + backend->name + "' could not " + doing + ": " +
                          (text[0] != '\0' ? text.data() : "it gave no reason."));
    }
};

// A backend in C++ may throw all the same. Workers call it from where nothing may be thrown.
template <typename Call>
nl_status guarded(nl_error error, Call call) noexcept {
    try {
        return call();
    } catch (const std::exception& thrown) {
        std::snprintf(error.message, error.size, "%s", thrown.what());
    } catch (...) {
        std::snprintf(error.message, error.size, "it threw something that is no std::exception");
    }
    return NL_ERROR;
}

constexpr int32_t kLongestDelay = 1 << 24;  // samples
constexpr int64_t kMostElements = int64_t{1} << 32;

void check_facts(const nl_facts& facts, const char* name) {
    if (facts.delay_samples < 0 || facts.delay_samples > kLongestDelay) {
        throw EngineError(std::string("The backend '") + name + "' says that its model's delay is " +
                          std::to_string(facts.delay_samples) + " samples; it must lie in 0.." +
                          std::to_string(kLongestDelay) + ".");
    }
    for (int32_t index = 0; index < facts.state_count; ++index) {
        const int64_t elements = facts.states[index].elements;
        if (elements >= 0 && elements <= kMostElements) continue;
        throw EngineError(std::string("The backend '") + name + "' declares a state of " + std::to_string(elements) +
                          " elements; it must be 0.." + std::to_string(kMostElements) + ".");
    }
}

}  // namespace

Instance::Instance(const nl_backend* backend, void* handle, std::shared_ptr<void> keep_alive)
    : backend_(backend), handle_(handle), keep_alive_(std::move(keep_alive)) {}

Instance::~Instance() { backend_->destroy(handle_); }

std::unique_ptr<Instance> Instance::create(const nl_backend* backend, const std::string& source,
                                           const std::string& options, std::shared_ptr<void> keep_alive) {
    if (backend->abi != NL_BACKEND_ABI) {
        throw EngineError(std::string("The backend '") + backend->name + "' was built for interface " +
                          std::to_string(backend->abi) + ", this engine has " + std::to_string(NL_BACKEND_ABI) +
                          ". Build it again with this version's backend.h.");
    }
    Message message;
    void* handle = nullptr;
    if (backend->create(source.c_str(), options.c_str(), &handle, message.error) != NL_OK) {
        message.raise(backend, "open the model");
    }
    return std::make_unique<Instance>(backend, handle, std::move(keep_alive));
}

std::unique_ptr<Instance> Instance::clone() const {
    if (backend_->clone == nullptr) return nullptr;
    Message message;
    void* handle = nullptr;
    const nl_status status = backend_->clone(handle_, &handle, message.error);
    if (status == NL_UNSUPPORTED) return nullptr;
    if (status != NL_OK) message.raise(backend_, "copy the model");
    return std::make_unique<Instance>(backend_, handle, keep_alive_);
}

nl_facts Instance::prepare(const nl_setup& setup) {
    Message message;
    nl_facts facts{};
    if (backend_->prepare(handle_, &setup, &facts, message.error) != NL_OK)
        message.raise(backend_, "prepare the model");
    check_facts(facts, backend_->name);
    return facts;
}

void Instance::thread_started() const noexcept {
    if (backend_->thread_started != nullptr) backend_->thread_started();
}

void Instance::reset() {
    Message message;
    const nl_status status = guarded(message.error, [&] { return backend_->reset(handle_, message.error); });
    if (status != NL_OK) message.raise(backend_, "reset the model");
}

nl_status Instance::process(const nl_block& block, char* message, size_t size) noexcept {
    message[0] = '\0';
    const nl_error error{message, size};
    return guarded(error, [&] { return backend_->process(handle_, &block, error); });
}

}  // namespace neutone_like
