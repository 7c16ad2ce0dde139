// The functions of backend.h for a library: `Library` has `kName`, `kFormat` and `open(sidecar, options)`.
#pragma once

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "neutone_like/backend.h"
#include "options.hpp"
#include "player.hpp"
#include "sidecar.hpp"

namespace neutone_like::exchange {

inline void write_message(nl_error error, const std::string& message) noexcept {
    if (error.message == nullptr || error.size == 0) return;
    const size_t length = std::min(message.size(), error.size - 1);
    std::memcpy(error.message, message.data(), length);
    error.message[length] = '\0';
}

// Runs `work`; nothing that it throws gets out.
template <typename Work>
nl_status guarded(nl_error error, Work&& work) noexcept {
    try {
        work();
        return NL_OK;
    } catch (const std::exception& problem) {
        write_message(error, problem.what());
    } catch (...) {
        write_message(error, "It threw something that is no std::exception.");
    }
    return NL_ERROR;
}

void refuse_other_artifact(const Sidecar& sidecar, const std::string& artifact_sha256);

template <typename Library>
class BackendTable {
public:
    static const nl_backend* get() noexcept {
        static const nl_backend table = {NL_BACKEND_ABI, Library::kName, create,  clone,  prepare,
                                         process,        reset,          destroy, nullptr};
        return &table;
    }

private:
    static Player& player(void* instance) noexcept { return *static_cast<Player*>(instance); }

    // `source` is the sidecar's path.
    static nl_status create(const char* source, const char* options, void** instance, nl_error error) {
        return guarded(error, [&] {
            const Options chosen = parse_options(options == nullptr ? "" : options);
            Sidecar sidecar = read_sidecar(source, Library::kFormat);
            refuse_other_artifact(sidecar, chosen.artifact_sha256);
            *instance = new Player(Library::open(std::move(sidecar), chosen));
        });
    }

    static nl_status clone(void* instance, void** copy, nl_error error) {
        return guarded(error, [&] { *copy = new Player(player(instance)); });
    }

    static nl_status prepare(void* instance, const nl_setup* setup, nl_facts* facts, nl_error error) {
        return guarded(error, [&] { *facts = {player(instance).prepare(*setup), 0, nullptr}; });
    }

    static nl_status process(void* instance, const nl_block* block, nl_error error) {
        return guarded(error, [&] { player(instance).process(*block); });
    }

    static nl_status reset(void* instance, nl_error error) {
        return guarded(error, [&] { player(instance).reset(); });
    }

    static void destroy(void* instance) { delete static_cast<Player*>(instance); }
};

}  // namespace neutone_like::exchange
