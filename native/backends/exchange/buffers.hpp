// The memory that one instance's calls read and write: audio, parameters, and two sets of states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sidecar.hpp"

namespace neutone_like::exchange {

// As much as was asked for, aligned as vector instructions like it (and LiteRT requires it), at an address that stays.
class Memory {
public:
    explicit Memory(size_t bytes);

    uint8_t* data() const noexcept { return data_.get(); }
    float* floats() const noexcept { return reinterpret_cast<float*>(data_.get()); }
    size_t bytes() const noexcept { return bytes_; }

private:
    struct Free {
        void operator()(uint8_t* memory) const noexcept;
    };
    size_t bytes_;
    std::unique_ptr<uint8_t[], Free> data_;
};

using StateSet = std::vector<Memory>;

struct Buffers {
    Buffers(const Sidecar& sidecar, int longest_samples);

    size_t state_bytes() const noexcept;  // of one set

    int longest_samples;
    Memory audio_in;
    Memory audio_out;
    std::vector<Memory> parameters;
    StateSet states[2];
};

// The bytes of every state.
std::vector<std::vector<uint8_t>> initial_states(const Sidecar& sidecar);
std::vector<std::vector<uint8_t>> read_states(const StateSet& states, const Sidecar& sidecar);
void write_states(const std::vector<std::vector<uint8_t>>& values, StateSet& states);

}  // namespace neutone_like::exchange
