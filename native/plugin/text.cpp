#include "text.hpp"

#include <algorithm>
#include <cstring>

namespace neutone_like::plugin {

void write_text(const std::string& text, char* out, size_t bytes) noexcept {
    if (bytes == 0) return;
    size_t length = std::min(text.size(), bytes - 1);
    while (length > 0 && length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
    std::memcpy(out, text.data(), length);
    out[length] = '\0';
}

}  // namespace neutone_like::plugin
