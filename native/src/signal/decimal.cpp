#include "signal/decimal.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace neutone_like {

namespace {

constexpr uint64_t kMostDigits = 1'000'000'000'000'000'000u;  // beyond this one more might not fit
constexpr int kExactPower = 22;  // 10^22 is the last power of ten that a double holds exactly

bool is_digit(std::string_view text, size_t at) noexcept {
    return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// Digits from `at` on, as a whole number times a power of ten that what doesn't fit is counted in.
struct Digits {
    uint64_t number = 0;
    int power = 0;

    size_t read(std::string_view text, size_t at, bool fraction) noexcept {
        for (; is_digit(text, at); ++at) {
            const bool fits = number < kMostDigits / 10;
            if (fits) number = number * 10 + static_cast<uint64_t>(text[at] - '0');
            power += (fits ? 0 : 1) - (fraction ? 1 : 0);
        }
        return at;
    }

    double value() const noexcept {
        const auto whole = static_cast<double>(number);
        if (number == 0) return 0.0;
        if (power >= 0) return whole * std::pow(10.0, power);
        if (power >= -kExactPower) return whole / std::pow(10.0, -power);
        return whole / 1e22 * std::pow(10.0, power + kExactPower);
    }
};

// The end of an exponent that begins at `at`, or `at` where none does.
size_t read_exponent(std::string_view text, size_t at, int& power) noexcept {
    if (at >= text.size() || (text[at] != 'e' && text[at] != 'E')) return at;
    size_t from = at + 1;
    const bool negative = from < text.size() && text[from] == '-';
    if (from < text.size() && (text[from] == '-' || text[from] == '+')) ++from;
    if (!is_digit(text, from)) return at;
    int exponent = 0;
    for (; is_digit(text, from); ++from) exponent = std::min(exponent * 10 + (text[from] - '0'), 100000);
    power += negative ? -exponent : exponent;
    return from;
}

}  // namespace

std::string decimal_text(double value) {
    char digits[40];
    std::snprintf(digits, sizeof digits, "%.7g", value);
    std::string text;
    for (const char* letter = digits; *letter != '\0'; ++letter) {
        const bool known = (*letter >= '0' && *letter <= '9') || *letter == '-' || *letter == '+' || *letter == 'e';
        if (known) text += *letter;
        if (!known && (text.empty() || text.back() != '.')) text += '.';  // the locale's own point
    }
    return text;
}

size_t read_decimal(std::string_view text, double& value) noexcept {
    const size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
    Digits digits;
    size_t at = digits.read(text, sign, false);
    const bool has_fraction = at < text.size() && text[at] == '.' && is_digit(text, at + 1);
    if (at == sign && !has_fraction) return 0;
    if (has_fraction) at = digits.read(text, at + 1, true);
    at = read_exponent(text, at, digits.power);
    value = sign == 1 ? -digits.value() : digits.value();
    return at;
}

}  // namespace neutone_like
