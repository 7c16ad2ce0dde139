// VST3 has UTF-16 where the rest of us has UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace neutone_like::plugin::vst3 {

constexpr size_t kTextUnits = 128;

// Cut where there is no room; ends with a zero.
void write_utf16(std::string_view utf8, char16_t* out) noexcept;
std::string utf8_of(const char16_t* text);

}  // namespace neutone_like::plugin::vst3
