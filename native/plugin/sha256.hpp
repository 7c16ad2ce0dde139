// SHA-256 (FIPS 180-4): what artifacts know each other by.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace neutone_like::plugin {

class Sha256 {
public:
    void add(const unsigned char* bytes, size_t count) noexcept;
    // 64 hexadecimal digits. Nothing is added after that.
    std::string digest();

private:
    void take_block(const unsigned char* block) noexcept;

    std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<unsigned char, 64> rest_{};
    uint64_t bytes_ = 0;
};

}  // namespace neutone_like::plugin
