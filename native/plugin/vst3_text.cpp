#include "vst3_text.hpp"

#include <cstdint>

namespace neutone_like::plugin::vst3 {

namespace {

// The code point at `at`, which moves on. What is no UTF-8 becomes U+FFFD, a byte at a time.
uint32_t next_point(std::string_view text, size_t& at) noexcept {
    const auto first = static_cast<unsigned char>(text[at++]);
    const int more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : -1;
    if (more == 0) return first;
    if (more < 0 || at + static_cast<size_t>(more) > text.size()) return 0xfffd;
    uint32_t point = first & (0x3fu >> more);
    for (int i = 0; i < more; ++i) point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3fu);
    return point > 0x10ffff ? 0xfffd : point;
}

void append(std::string& text, uint32_t point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
        return;
    }
    const int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    text += static_cast<char>((0xf00u >> more & 0xffu) | point >> (6 * more));
    for (int left = more - 1; left >= 0; --left) text += static_cast<char>(0x80u | (point >> (6 * left) & 0x3fu));
}

}  // namespace

void write_utf16(std::string_view utf8, char16_t* out) noexcept {
    size_t units = 0;
    for (size_t at = 0; at < utf8.size();) {
        const uint32_t point = next_point(utf8, at);
        if (units + (point > 0xffff ? 2 : 1) >= kTextUnits) break;
        if (point > 0xffff) {
            out[units++] = static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
            out[units++] = static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            out[units++] = static_cast<char16_t>(point);
        }
    }
    out[units] = 0;
}

std::string utf8_of(const char16_t* text) {
    std::string utf8;
    for (size_t at = 0; at < kTextUnits && text[at] != 0; ++at) {
        uint32_t point = text[at];
        if (point >= 0xd800 && point < 0xdc00 && at + 1 < kTextUnits && (text[at + 1] & 0xfc00) == 0xdc00) {
            point = 0x10000 + ((point - 0xd800) << 10) + (text[++at] - 0xdc00u);
        }
        append(utf8, point);
    }
    return utf8;
}

}  // namespace neutone_like::plugin::vst3
