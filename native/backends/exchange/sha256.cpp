#include "sha256.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace neutone_like::exchange {

namespace {

// The first 32 bits of the fractions of the cube roots of the first 64 primes.
constexpr std::array<uint32_t, 64> kRound{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr size_t kBlock = 64;

class Sha256 {
public:
    void add(const uint8_t* block) {
        std::array<uint32_t, 64> words{};
        for (size_t index = 0; index < 16; ++index) {
            for (size_t byte = 0; byte < 4; ++byte) words[index] = words[index] << 8 | block[4 * index + byte];
        }
        for (size_t index = 16; index < 64; ++index) {
            const uint32_t early = words[index - 15], late = words[index - 2];
            words[index] = words[index - 16] + words[index - 7] +
                           (std::rotr(early, 7) ^ std::rotr(early, 18) ^ early >> 3) +
                           (std::rotr(late, 17) ^ std::rotr(late, 19) ^ late >> 10);
        }
        auto [a, b, c, d, e, f, g, h] = state_;
        for (size_t index = 0; index < 64; ++index) {
            const uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                   kRound[index] + words[index];
            const uint32_t second =
                (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
        }
        const std::array<uint32_t, 8> added{a, b, c, d, e, f, g, h};
        for (size_t index = 0; index < 8; ++index) state_[index] += added[index];
    }

    std::string hex() const {
        constexpr char kDigits[] = "0123456789abcdef";
        std::string text;
        for (const uint32_t word : state_) {
            for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[word >> shift & 15];
        }
        return text;
    }

private:
    // The first 32 bits of the fractions of the square roots of the first 8 primes.
    std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
};

}  // namespace

std::string sha256_of(const uint8_t* data, size_t size) {
    Sha256 digest;
    size_t at = 0;
    for (; at + kBlock <= size; at += kBlock) digest.add(data + at);
    std::array<uint8_t, 2 * kBlock> end{};
    const size_t left = size - at;
    if (left > 0) std::memcpy(end.data(), data + at, left);
    end[left] = 0x80;
    const size_t length = left + 9 <= kBlock ? kBlock : 2 * kBlock;
    const uint64_t bits = 8 * static_cast<uint64_t>(size);
    for (size_t byte = 0; byte < 8; ++byte) end[length - 1 - byte] = static_cast<uint8_t>(bits >> (8 * byte));
    for (size_t block = 0; block < length; block += kBlock) digest.add(end.data() + block);
    return digest.hex();
}

}  // namespace neutone_like::exchange
