// Owns one instance of a backend and turns its status codes into C++.
#pragma once

#include <memory>
#include <string>

#include "neutone_like/backend.h"
#include "signal/config.hpp"

namespace neutone_like {

class Instance {
public:
    // `keep_alive` holds whatever must outlive the instance: a loaded shared object, a Python module.
    Instance(const nl_backend* backend, void* handle, std::shared_ptr<void> keep_alive);
    ~Instance();
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    // Throws EngineError with the backend's message.
    static std::unique_ptr<Instance> create(const nl_backend* backend, const std::string& source,
                                            const std::string& options, std::shared_ptr<void> keep_alive = nullptr);
    std::unique_ptr<Instance> clone() const;  // null where the backend can't
    nl_facts prepare(const nl_setup& setup);
    void thread_started() const noexcept;
    void reset();

    // Never throws. On failure `message` (of `size` bytes) says what.
    nl_status process(const nl_block& block, char* message, size_t size) noexcept;

    const nl_backend& backend() const noexcept { return *backend_; }

private:
    const nl_backend* backend_;
    void* handle_;
    std::shared_ptr<void> keep_alive_;
};

using InstancePtr = std::unique_ptr<Instance>;

}  // namespace neutone_like
