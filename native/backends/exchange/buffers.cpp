#include "buffers.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace neutone_like::exchange {

namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kBeyond = 64;  // vector instructions may read a little beyond the end

size_t floats(int64_t count) { return sizeof(float) * static_cast<size_t>(count); }

StateSet make_states(const Sidecar& sidecar) {
    StateSet states;
    for (const State& state : sidecar.states) states.emplace_back(state.initial.size());
    return states;
}

}  // namespace

Memory::Memory(size_t bytes)
    : bytes_(bytes), data_(static_cast<uint8_t*>(::operator new(bytes + kBeyond, std::align_val_t{kAlignment}))) {
    std::memset(data_.get(), 0, bytes + kBeyond);
}

void Memory::Free::operator()(uint8_t* memory) const noexcept {
    ::operator delete(memory, std::align_val_t{kAlignment});
}

Buffers::Buffers(const Sidecar& sidecar, int longest)
    : longest_samples(longest),
      audio_in(floats(int64_t{sidecar.in_channels} * (sidecar.look_behind + longest))),
      audio_out(floats(int64_t{sidecar.out_channels} * longest)),
      states{make_states(sidecar), make_states(sidecar)} {
    for (const Parameter& parameter : sidecar.parameters) {
        parameters.emplace_back(floats(parameter.per_sample ? longest : 1));
    }
    write_states(initial_states(sidecar), states[0]);
}

size_t Buffers::state_bytes() const noexcept {
    size_t bytes = 0;
    for (const Memory& state : states[0]) bytes += state.bytes();
    return bytes;
}

std::vector<std::vector<uint8_t>> initial_states(const Sidecar& sidecar) {
    std::vector<std::vector<uint8_t>> values;
    for (const State& state : sidecar.states) values.push_back(state.initial);
    return values;
}

std::vector<std::vector<uint8_t>> read_states(const StateSet& states, const Sidecar& sidecar) {
    std::vector<std::vector<uint8_t>> values;
    for (size_t index = 0; index < states.size(); ++index) {
        const uint8_t* data = states[index].data();
        values.emplace_back(data, data + sidecar.states[index].initial.size());
    }
    return values;
}

void write_states(const std::vector<std::vector<uint8_t>>& values, StateSet& states) {
    for (size_t index = 0; index < values.size(); ++index) {
        std::copy(values[index].begin(), values[index].end(), states[index].data());
    }
}

}  // namespace neutone_like::exchange
