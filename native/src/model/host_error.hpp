// What a host did, gave or asked for that can't be, with the code that engine.h has for it.
#pragma once

#include <string>

#include "neutone_like/model.h"
#include "signal/config.hpp"

namespace neutone_like {

class HostError : public EngineError {
public:
    HostError(nl_result result, const std::string& message) : EngineError(message), result_(result) {}
    nl_result result() const noexcept { return result_; }

private:
    nl_result result_;
};

}  // namespace neutone_like
