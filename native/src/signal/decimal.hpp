// Numbers as people and JSON write them, whatever the host's locale is.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace neutone_like {

// At most seven digits: "0.25", "1e-09".
std::string decimal_text(double value);

// The number that a text begins with, as JSON and people write it: -1, 2.5, .5, 3e-4. Returns how many characters it takes,
// 0 where there is none. Up to fifteen digits with a power of ten up to 22 are read exactly, others to the last digits.
size_t read_decimal(std::string_view text, double& value) noexcept;

}  // namespace neutone_like
