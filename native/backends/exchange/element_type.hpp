// The kinds of numbers that audio, parameters and states are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neutone_like::exchange {

enum class ElementType { float32, float64, int8, uint8, int16, int32, int64, boolean, other };

using Shape = std::vector<int64_t>;  // -1: any

// As NumPy calls them; "another type" for what no state is made of.
std::string_view type_name(ElementType type) noexcept;
std::optional<ElementType> type_of_name(std::string_view name) noexcept;
size_t bytes_of(ElementType type) noexcept;

int64_t elements_of(const Shape& shape) noexcept;
std::string to_text(const Shape& shape);  // "[2, any]"

}  // namespace neutone_like::exchange
