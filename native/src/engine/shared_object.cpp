#include "engine/shared_object.hpp"

#include <dlfcn.h>

#include <array>

#include "signal/config.hpp"

namespace neutone_like {

const nl_backend* load_backend(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) throw EngineError("The backend " + path + " can't be loaded: " + dlerror());
    const auto entry = reinterpret_cast<nl_backend_entry>(dlsym(library, NL_BACKEND_ENTRY));
    if (!entry) {
        throw EngineError(path + " is not a backend: it has no function " NL_BACKEND_ENTRY
                                 " (see native/include/neutone_like/backend.h).");
    }
    std::array<char, 2048> message{};
    const nl_backend* backend = entry({message.data(), message.size()});
    if (!backend) throw EngineError("The backend " + path + " refuses to work here: " + message.data());
    if (backend->abi != NL_BACKEND_ABI) {
        throw EngineError("The backend " + path + " was built for version " + std::to_string(backend->abi) +
                          " of the backend interface, this engine has version " + std::to_string(NL_BACKEND_ABI) +
                          ". Build it again with this version's backend.h.");
    }
    return backend;
}

nl_metadata_entry find_metadata_entry(const std::string& path) {
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);  // loaded already, and it stays so
    return library == nullptr ? nullptr : reinterpret_cast<nl_metadata_entry>(dlsym(library, NL_METADATA_ENTRY));
}

}  // namespace neutone_like
