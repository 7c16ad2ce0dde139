// What goes between Python and the engine: audio as float32, C-contiguous, [channels][samples]; times; text.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

#include "signal/histogram.hpp"

namespace neutone_like {

namespace nb = nanobind;

using AudioIn = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using AudioOut = nb::ndarray<float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Taps = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

// One pointer for each row, as the engine takes audio.
template <typename Array>
auto rows(const Array& audio) {
    std::vector<decltype(audio.data())> pointers(audio.shape(0));
    for (size_t row = 0; row < pointers.size(); ++row) pointers[row] = audio.data() + row * audio.shape(1);
    return pointers;
}

inline void require_shape(const char* what, size_t got, size_t expected) {
    if (got == expected) return;
    throw std::invalid_argument(std::string(what) + ": expected " + std::to_string(expected) + ", got " +
                                std::to_string(got));
}

// A NumPy array that owns its memory.
template <typename Value>
nb::ndarray<nb::numpy, Value> make_array(std::initializer_list<size_t> shape) {
    size_t elements = 1;
    for (const size_t size : shape) elements *= size;
    auto data = std::make_unique<Value[]>(elements);
    nb::capsule owner(data.get(), [](void* memory) noexcept { delete[] static_cast<Value*>(memory); });
    return nb::ndarray<nb::numpy, Value>(data.release(), shape, owner);
}

inline nb::ndarray<nb::numpy, float> to_array(const std::vector<std::vector<float>>& channels) {
    const size_t samples = channels.empty() ? 0 : channels[0].size();
    auto array = make_array<float>({channels.size(), samples});
    for (size_t row = 0; row < channels.size(); ++row) {
        if (samples > 0) std::memcpy(array.data() + row * samples, channels[row].data(), samples * sizeof(float));
    }
    return array;
}

inline std::vector<std::vector<float>> to_channels(const AudioIn& audio) {
    std::vector<std::vector<float>> channels;
    for (const float* row : rows(audio)) channels.emplace_back(row, row + audio.shape(1));
    return channels;
}

// A backend's words, which may be cut in the middle of a letter.
inline nb::object to_text(const char* message) {
    return nb::steal(PyUnicode_DecodeUTF8(message, static_cast<Py_ssize_t>(std::strlen(message)), "replace"));
}

// A histogram as it is now: the count of each bucket, and the largest value in ns.
inline nb::tuple to_tuple(const Histogram& histogram) {
    auto counts = make_array<uint64_t>({static_cast<size_t>(Histogram::kBuckets)});
    for (int bucket = 0; bucket < Histogram::kBuckets; ++bucket) counts.data()[bucket] = histogram.bucket_count(bucket);
    return nb::make_tuple(counts, histogram.largest());
}

}  // namespace neutone_like
