// A compiled model from a file.
#pragma once

#include <memory>
#include <string>

#include "compiled/compiled_model.hpp"

namespace neutone_like {

// As CompiledModel::own; throws CompiledModelError for the file, too.
std::shared_ptr<const CompiledModel> read_compiled_model(const std::string& path, const std::string& kernels = "");

}  // namespace neutone_like
