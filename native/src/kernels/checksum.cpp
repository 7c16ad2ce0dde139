#include "kernels/checksum.hpp"

namespace neutone_like::compiled {

namespace {

constexpr int kSlices = 8;

// remainder[k][b]: what the byte b leaves behind when k more bytes follow it.
struct Tables {
    uint32_t remainder[kSlices][256];
};

constexpr Tables make_tables() {
    Tables tables{};
    for (uint32_t byte = 0; byte < 256; ++byte) {
        uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0u);
        tables.remainder[0][byte] = value;
    }
    for (int slice = 1; slice < kSlices; ++slice) {
        for (int byte = 0; byte < 256; ++byte) {
            const uint32_t before = tables.remainder[slice - 1][byte];
            tables.remainder[slice][byte] = (before >> 8) ^ tables.remainder[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

uint32_t crc32(const unsigned char* bytes, uint64_t count) noexcept {
    uint32_t crc = 0xFFFFFFFFu;
    for (; count >= kSlices; count -= kSlices, bytes += kSlices) {
        uint32_t next = 0;
        for (int i = 0; i < kSlices; ++i) {
            const uint32_t byte = i < 4 ? (bytes[i] ^ (crc >> (8 * i))) & 0xFF : bytes[i];
            next ^= kTables.remainder[kSlices - 1 - i][byte];
        }
        crc = next;
    }
    for (; count > 0; --count, ++bytes) crc = (crc >> 8) ^ kTables.remainder[0][(crc ^ *bytes) & 0xFF];
    return ~crc;
}

}  // namespace neutone_like::compiled
