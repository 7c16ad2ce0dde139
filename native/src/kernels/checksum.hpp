// CRC-32 as zlib computes it (ISO 3309, reflected, polynomial 0xEDB88320).
#pragma once

#include <cstdint>

namespace neutone_like::compiled {

uint32_t crc32(const unsigned char* bytes, uint64_t count) noexcept;

}  // namespace neutone_like::compiled
