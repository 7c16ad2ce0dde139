// What is wrong with a model file, its sidecar or the library that should play it, in words for a person.
#pragma once

#include <stdexcept>

namespace neutone_like::exchange {

class ExchangeError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace neutone_like::exchange
