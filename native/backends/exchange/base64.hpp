// Base64 (RFC 4648, section 4), strictly: with its padding, without spaces.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace neutone_like::exchange {

std::optional<std::vector<uint8_t>> from_base64(std::string_view text);

}  // namespace neutone_like::exchange
