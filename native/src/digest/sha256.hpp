// SHA-256 (FIPS 180-4): what artifacts and exported files know each other by.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace neutone_like {

class Sha256 {
public:
    void add(const unsigned char* bytes, size_t count) noexcept {
        while (count > 0) {
            const size_t held = bytes_ % rest_.size();
            const size_t part = std::min(count, rest_.size() - held);
            std::memcpy(rest_.data() + held, bytes, part);
            bytes_ += part, bytes += part, count -= part;
            if (held + part == rest_.size()) take_block(rest_.data());
        }
    }

    // 64 hexadecimal digits. Nothing is added after that.
    std::string digest() {
        const uint64_t bits = bytes_ * 8;
        const unsigned char one = 0x80, zero = 0;
        add(&one, 1);
        while (bytes_ % rest_.size() != 56) add(&zero, 1);
        unsigned char length[8];
        for (int at = 0; at < 8; ++at) length[at] = static_cast<unsigned char>(bits >> (56 - 8 * at));
        add(length, sizeof length);
        std::string text;
        for (const uint32_t word : state_) {
            for (int shift = 28; shift >= 0; shift -= 4) text += "0123456789abcdef"[word >> shift & 15];
        }
        return text;
    }

private:
    // The first 32 bits of the fractions of the cube roots of the first 64 primes.
    static constexpr uint32_t kRounds[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

    static uint32_t word_at(const unsigned char* bytes) noexcept {
        return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | uint32_t{bytes[3]};
    }

    void take_block(const unsigned char* block) noexcept {
        uint32_t words[64];
        for (int at = 0; at < 16; ++at) words[at] = word_at(block + 4 * at);
        for (int at = 16; at < 64; ++at) {
            const uint32_t early = words[at - 15], late = words[at - 2];
            words[at] = words[at - 16] + (std::rotr(early, 7) ^ std::rotr(early, 18) ^ early >> 3) + words[at - 7] +
                        (std::rotr(late, 17) ^ std::rotr(late, 19) ^ late >> 10);
        }
        auto [a, b, c, d, e, f, g, h] = state_;
        for (int at = 0; at < 64; ++at) {
            const uint32_t one = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                                 kRounds[at] + words[at];
            const uint32_t two =
                (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
            h = g, g = f, f = e, e = d + one, d = c, c = b, b = a, a = one + two;
        }
        const uint32_t added[] = {a, b, c, d, e, f, g, h};
        for (size_t at = 0; at < state_.size(); ++at) state_[at] += added[at];
    }

    // The same of the square roots of the first 8.
    std::array<uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<unsigned char, 64> rest_{};
    uint64_t bytes_ = 0;
};

}  // namespace neutone_like
