// A model file in the hands of the library that plays it.
#pragma once

#include <memory>

#include "buffers.hpp"
#include "sidecar.hpp"

namespace neutone_like::exchange {

// The file, connected to the memory of one instance.
class Call {
public:
    virtual ~Call() = default;

    // Computes a block of 1..longest samples from what lies at the start of the buffers, and from the states of the set
    // `from`. Returns the set that holds them afterwards. Throws ExchangeError with what the library says.
    virtual int run(int samples, int from) = 0;
};

// The file itself, which instances share as far as the library lets them.
class Network {
public:
    virtual ~Network() = default;

    virtual const Sidecar& sidecar() const = 0;
    virtual std::unique_ptr<Call> connect(const Buffers& buffers) = 0;
};

}  // namespace neutone_like::exchange
