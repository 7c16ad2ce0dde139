// Loads a backend from a shared object of its own.
#pragma once

#include <string>

#include "neutone_like/backend.h"
#include "neutone_like/backend_metadata.h"

namespace neutone_like {

// Loads `path` and asks it for its backend. It stays loaded: what it is linked with may keep threads and
// thread-local data, and opening the same file again gives the same one.
// Throws EngineError that says what the loader, or the backend, complained about.
const nl_backend* load_backend(const std::string& path);

// What reads the metadata of its model files; null where its files have none.
nl_metadata_entry find_metadata_entry(const std::string& path);

}  // namespace neutone_like
