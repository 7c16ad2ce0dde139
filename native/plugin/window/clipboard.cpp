#include "clipboard.hpp"

#include <charconv>

namespace neutone_like::plugin {

namespace {

constexpr long kMostWords = 4096;  // of four bytes
constexpr XId kAnyType = 0;
constexpr std::string_view kFile = "file://";
constexpr std::string_view kThisMachine = "localhost";

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kAround = " \t\r\n\"'";
    const size_t first = text.find_first_not_of(kAround);
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(kAround) - first + 1);
}

// %41 is A.
std::string decoded(std::string_view address) {
    std::string text;
    for (size_t at = 0; at < address.size(); ++at) {
        unsigned byte = 0;
        const char* digits = address.data() + at + 1;
        if (address[at] == '%' && at + 2 < address.size() &&
            std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
            text += static_cast<char>(byte);
            at += 2;
        } else {
            text += address[at];
        }
    }
    return text;
}

}  // namespace

void ask_clipboard(const Desktop& desktop, Display* display, XId window, unsigned long time) {
    const IgnoredErrors ignored(desktop, display);
    desktop.convert_selection(display, desktop.atom(display, "CLIPBOARD", 0), desktop.atom(display, "UTF8_STRING", 0),
                              desktop.atom(display, "NEUTONE_LIKE_CLIPBOARD", 0), window, time);
    desktop.flush(display);
}

std::string clipboard_text(const Desktop& desktop, Display* display, const XSelectionEvent& event) {
    if (event.property == 0) return "";
    const IgnoredErrors ignored(desktop, display);
    XId type = 0;
    int bits = 0;
    unsigned long count = 0, left = 0;
    unsigned char* data = nullptr;
    const int failed = desktop.property(display, event.any.window, event.property, 0, kMostWords, 1, kAnyType, &type,
                                        &bits, &count, &left, &data);
    if (failed != 0 || data == nullptr) return "";
    const std::string text = bits == 8 ? std::string(reinterpret_cast<const char*>(data), count) : "";
    desktop.free(data);
    return text;
}

std::string path_in(std::string_view text) {
    std::string_view line = trimmed(text);
    line = trimmed(line.substr(0, line.find_first_of("\r\n")));
    const bool is_address = line.starts_with(kFile);
    if (is_address) line.remove_prefix(kFile.size());
    if (is_address && line.starts_with(kThisMachine)) line.remove_prefix(kThisMachine.size());
    const std::string path = is_address ? decoded(line) : std::string(line);
    const bool is_whole = path.find('\0') == path.npos;  // the system would open what stands before it
    return path.starts_with('/') && is_whole ? path : "";
}

}  // namespace neutone_like::plugin
