// SHA-256 (FIPS 180-4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace neutone_like::exchange {

// In 64 hexadecimal digits, lower case.
std::string sha256_of(const uint8_t* data, size_t size);

}  // namespace neutone_like::exchange
