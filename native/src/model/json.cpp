#include "model/json.hpp"

#include <cmath>
#include <cstdint>

#include "signal/decimal.hpp"

namespace neutone_like {

namespace {

constexpr int kMostLevels = 64;

// The bytes of a UTF-8 sequence at the start of `text`; 0 where it is none, or writes what it needn't.
size_t utf8_bytes(std::string_view text) noexcept {
    const auto byte = [&](size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
    const auto follows = [&](size_t at, unsigned lowest = 0x80, unsigned highest = 0xBF) {
        return byte(at) >= lowest && byte(at) <= highest;
    };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool second = follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
        return second && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

void append_utf8(std::string& text, uint32_t code) {
    const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
    const auto rest = [&](int bits) { put(0x80 | ((code >> bits) & 0x3F)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xC0 | code >> 6), rest(0);
    if (code < 0x10000) return put(0xE0 | code >> 12), rest(6), rest(0);
    put(0xF0 | code >> 18), rest(12), rest(6), rest(0);
}

class Reader {
public:
    Reader(std::string_view text, std::string& problem) : text_(text), problem_(problem) {}

    bool read_all(Json& value) {
        if (!read(value, 0)) return false;
        skip_space();
        return at_ == text_.size() || fail("nothing more");
    }

private:
    bool fail(const char* expected) {
        if (problem_.empty()) problem_ = std::string(expected) + " expected at byte " + std::to_string(at_);
        return false;
    }

    bool next_is(char letter) const noexcept { return at_ < text_.size() && text_[at_] == letter; }
    bool take(char letter) noexcept {
        if (!next_is(letter)) return false;
        ++at_;
        return true;
    }
    bool take_word(std::string_view word) noexcept {
        if (text_.substr(at_, word.size()) != word) return false;
        at_ += word.size();
        return true;
    }
    void skip_space() noexcept {
        while (next_is(' ') || next_is('\t') || next_is('\r') || next_is('\n')) ++at_;
    }

    bool read(Json& value, int level) {
        skip_space();
        const size_t from = at_;
        if (level > kMostLevels) return fail("fewer levels");
        if (!read_kind(value, level)) return false;
        value.written = text_.substr(from, at_ - from);
        return true;
    }

    bool read_kind(Json& value, int level) {
        if (take('{')) return value.kind = Json::Kind::object, read_members(value, level);
        if (take('[')) return value.kind = Json::Kind::list, read_items(value, level);
        if (take('"')) return value.kind = Json::Kind::text, read_text(value.text);
        if (take_word("null")) return value.kind = Json::Kind::null, true;
        value.truth = take_word("true");
        if (value.truth || take_word("false")) return value.kind = Json::Kind::truth, true;
        return value.kind = Json::Kind::number, read_number(value.number);
    }

    bool read_number(double& number) {
        const std::string_view rest = text_.substr(at_);
        const size_t length = read_decimal(rest, number);
        const size_t first = length > 0 && rest[0] == '-' ? 1 : 0;
        const auto is_digit = [&](size_t at) { return at < length && rest[at] >= '0' && rest[at] <= '9'; };
        if (!is_digit(first) || (rest[first] == '0' && is_digit(first + 1))) return fail("a value");
        if (!std::isfinite(number)) return fail("a number that a double holds");
        at_ += length;
        return true;
    }

    bool read_items(Json& list, int level) {
        skip_space();
        if (take(']')) return true;
        do {
            if (!read(list.items.emplace_back(), level + 1)) return false;
            skip_space();
        } while (take(','));
        return take(']') || fail("',' or ']'");
    }

    bool read_members(Json& object, int level) {
        skip_space();
        if (take('}')) return true;
        do {
            auto& [key, value] = object.members.emplace_back();
            skip_space();
            if (!take('"')) return fail("a key");
            if (!read_text(key)) return false;
            skip_space();
            if (!take(':')) return fail("':'");
            if (!read(value, level + 1)) return false;
            skip_space();
        } while (take(','));
        return take('}') || fail("',' or '}'");
    }

    bool read_text(std::string& text) {
        while (!take('"')) {
            if (take('\\')) {
                if (!read_escape(text)) return fail("an escape");
                continue;
            }
            const std::string_view rest = text_.substr(at_);
            const size_t bytes = rest.empty() ? 0 : utf8_bytes(rest);
            if (bytes == 0 || static_cast<unsigned char>(rest[0]) < 0x20) return fail("a letter in UTF-8");
            text += rest.substr(0, bytes);
            at_ += bytes;
        }
        return true;
    }

    bool read_escape(std::string& text) {
        constexpr std::string_view kNames = "\"\\/bfnrt";
        constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
        const size_t which = at_ < text_.size() ? kNames.find(text_[at_]) : std::string_view::npos;
        if (which != std::string_view::npos) return ++at_, text += kMeanings[which], true;
        uint32_t code = 0;
        if (!read_unit(code) || (code >= 0xDC00 && code <= 0xDFFF)) return false;
        if (code >= 0xD800 && code <= 0xDBFF) {
            uint32_t low = 0;
            if (!take('\\') || !read_unit(low) || low < 0xDC00 || low > 0xDFFF) return false;
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        append_utf8(text, code);
        return true;
    }

    // uXXXX
    bool read_unit(uint32_t& code) noexcept {
        if (!take('u')) return false;
        constexpr std::string_view kDigits = "0123456789abcdef";
        for (int digit = 0; digit < 4; ++digit, ++at_) {
            if (at_ >= text_.size()) return false;
            const char letter =
                text_[at_] >= 'A' && text_[at_] <= 'F' ? static_cast<char>(text_[at_] + 32) : text_[at_];
            const size_t value = kDigits.find(letter);
            if (value == std::string_view::npos) return false;
            code = code * 16 + static_cast<uint32_t>(value);
        }
        return true;
    }

    std::string_view text_;
    std::string& problem_;
    size_t at_ = 0;
};

}  // namespace

const Json* Json::find(std::string_view key) const noexcept {
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
        if (member->first == key) return &member->second;
    }
    return nullptr;
}

bool read_json(std::string_view text, Json& value, std::string& problem) {
    problem.clear();
    return Reader(text, problem).read_all(value);
}

}  // namespace neutone_like
