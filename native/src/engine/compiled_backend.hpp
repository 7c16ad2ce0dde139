// The backend that plays compiled models, without anything beside it.
#pragma once

#include "neutone_like/backend.h"
#include "neutone_like/backend_metadata.h"

namespace neutone_like {

// Its source is the path of a model.nlc; its only option is kernels=NAME, for tests.
const nl_backend* compiled_backend() noexcept;

// As the shared object of a backend would export it.
nl_status compiled_metadata(const char* source, char* text, size_t size, size_t* length, nl_error error);

}  // namespace neutone_like
