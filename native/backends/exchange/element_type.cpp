#include "element_type.hpp"

#include <algorithm>
#include <array>

namespace neutone_like::exchange {

namespace {

struct Named {
    ElementType type;
    std::string_view name;
    size_t bytes;
};

constexpr std::array<Named, 8> kTypes{{
    {ElementType::float32, "float32", 4},
    {ElementType::float64, "float64", 8},
    {ElementType::int8, "int8", 1},
    {ElementType::uint8, "uint8", 1},
    {ElementType::int16, "int16", 2},
    {ElementType::int32, "int32", 4},
    {ElementType::int64, "int64", 8},
    {ElementType::boolean, "bool", 1},
}};

const Named* find(ElementType type) noexcept {
    const auto* found =
        std::find_if(kTypes.begin(), kTypes.end(), [&](const Named& each) { return each.type == type; });
    return found == kTypes.end() ? nullptr : found;
}

}  // namespace

std::string_view type_name(ElementType type) noexcept {
    const Named* known = find(type);
    return known == nullptr ? "another type" : known->name;
}

std::optional<ElementType> type_of_name(std::string_view name) noexcept {
    for (const Named& each : kTypes) {
        if (each.name == name) return each.type;
    }
    return std::nullopt;
}

size_t bytes_of(ElementType type) noexcept {
    const Named* known = find(type);
    return known == nullptr ? 0 : known->bytes;
}

int64_t elements_of(const Shape& shape) noexcept {
    int64_t count = 1;
    for (const int64_t size : shape) count *= size;
    return count;
}

std::string to_text(const Shape& shape) {
    std::string text = "[";
    for (const int64_t size : shape) {
        if (text.size() > 1) text += ", ";
        text += size < 0 ? "any" : std::to_string(size);
    }
    return text + "]";
}

}  // namespace neutone_like::exchange
