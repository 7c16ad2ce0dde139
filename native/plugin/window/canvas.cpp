#include "canvas.hpp"

#include <algorithm>
#include <numbers>

namespace neutone_like::plugin {

namespace {

constexpr int kRoundCap = 1;
constexpr int kNormal = 0;
constexpr int kBold = 1;
constexpr double kQuarter = std::numbers::pi / 2.0;
constexpr const char* kDots = "\u2026";

constexpr const char* kNoLetter = "\ufffd";
constexpr size_t kMostBytes = 1 << 14;  // more than any window has room for

bool is_inside_a_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

// How many bytes the letter at `at` has; 0: there is no UTF-8.
size_t bytes_of_letter(const std::string& text, size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return 1;
    const size_t bytes = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < bytes) return 0;
    uint32_t point = first & (0x7fu >> bytes);
    for (size_t next = 1; next < bytes; ++next) {
        if (!is_inside_a_letter(text[at + next])) return 0;
        point = point << 6 | (static_cast<unsigned char>(text[at + next]) & 0x3fu);
    }
    constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
    return point >= kLeast[bytes] && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? bytes : 0;
}

// cairo draws nothing any more after a text that is no UTF-8, such as a file's name may be.
std::string drawable(const std::string& text) {
    std::string made;
    for (size_t at = 0; at < text.size() && made.size() < kMostBytes;) {
        const size_t bytes = bytes_of_letter(text, at);
        if (bytes == 1 && (static_cast<unsigned char>(text[at]) < 0x20 || text[at] == 0x7f)) {
            made += ' ';
        } else {
            made += bytes == 0 ? kNoLetter : text.substr(at, bytes);
        }
        at += std::max<size_t>(bytes, 1);
    }
    return made;
}

// Its beginning, cut at a letter, and without spaces at the end.
std::string beginning(const std::string& text, size_t bytes) {
    while (bytes > 0 && bytes < text.size() && is_inside_a_letter(text[bytes])) --bytes;
    while (bytes > 0 && text[bytes - 1] == ' ') --bytes;
    return text.substr(0, bytes);
}

}  // namespace

void Canvas::color(uint32_t rgb, double alpha) {
    draw_.set_source(cairo_, (rgb >> 16 & 0xff) / 255.0, (rgb >> 8 & 0xff) / 255.0, (rgb & 0xff) / 255.0, alpha);
}

void Canvas::path(const Box& box, double radius) {
    draw_.new_path(cairo_);
    if (radius <= 0.0) {
        draw_.rectangle(cairo_, box.x, box.y, box.width, box.height);
        return;
    }
    const double left = box.x + radius, right = box.right() - radius;
    const double top = box.y + radius, bottom = box.bottom() - radius;
    draw_.arc(cairo_, right, top, radius, -kQuarter, 0.0);
    draw_.arc(cairo_, right, bottom, radius, 0.0, kQuarter);
    draw_.arc(cairo_, left, bottom, radius, kQuarter, 2.0 * kQuarter);
    draw_.arc(cairo_, left, top, radius, 2.0 * kQuarter, 3.0 * kQuarter);
    draw_.close_path(cairo_);
}

void Canvas::fill(const Box& box, double radius) {
    path(box, radius);
    draw_.fill(cairo_);
}

void Canvas::outline(const Box& box, double radius, double width) {
    path(box, radius);
    draw_.set_line_width(cairo_, width);
    draw_.stroke(cairo_);
}

void Canvas::disc(double x, double y, double radius) {
    draw_.new_path(cairo_);
    draw_.arc(cairo_, x, y, radius, 0.0, 4.0 * kQuarter);
    draw_.fill(cairo_);
}

void Canvas::arc(double x, double y, double radius, double from, double to, double width) {
    draw_.new_path(cairo_);
    draw_.arc(cairo_, x, y, radius, from, to);
    draw_.set_line_cap(cairo_, kRoundCap);
    draw_.set_line_width(cairo_, width);
    draw_.stroke(cairo_);
}

void Canvas::line(double from_x, double from_y, double to_x, double to_y, double width) {
    draw_.new_path(cairo_);
    draw_.move_to(cairo_, from_x, from_y);
    draw_.line_to(cairo_, to_x, to_y);
    draw_.set_line_cap(cairo_, kRoundCap);
    draw_.set_line_width(cairo_, width);
    draw_.stroke(cairo_);
}

void Canvas::use(const Font& font) {
    draw_.select_font(cairo_, "sans-serif", kNormal, font.is_bold ? kBold : kNormal);
    draw_.set_font_size(cairo_, font.size);
}

double Canvas::width_of(const std::string& text, const Font& font) {
    use(font);
    TextExtents extents{};
    draw_.text_extents(cairo_, text.c_str(), &extents);
    return extents.x_advance;
}

// In few steps, however long a text is that was pasted or saved.
size_t Canvas::bytes_that_fit(const std::string& text, const char* ending, const Font& font, double width) {
    size_t fits = 0, too_long = text.size();
    while (too_long - fits > 1) {
        const size_t middle = fits + (too_long - fits) / 2;
        (width_of(beginning(text, middle) + ending, font) <= width ? fits : too_long) = middle;
    }
    return fits;
}

std::string Canvas::fitting(const std::string& text, const Font& font, double width) {
    if (width_of(text, font) <= width) return text;
    return beginning(text, bytes_that_fit(text, kDots, font, width)) + kDots;
}

void Canvas::text(const std::string& text, const Font& font, const Box& box, double baseline, Align align) {
    const std::string shown = fitting(drawable(text), font, box.width);
    const double left_over = box.width - width_of(shown, font);
    const double shift = align == Align::left ? 0.0 : align == Align::right ? left_over : left_over / 2.0;
    draw_.move_to(cairo_, box.x + shift, baseline);
    draw_.show_text(cairo_, shown.c_str());
    draw_.new_path(cairo_);
}

std::vector<std::string> Canvas::lines(const std::string& given, const Font& font, double width, size_t most) {
    std::string left = drawable(given);
    std::vector<std::string> made;
    while (!left.empty() && made.size() + 1 < most) {
        size_t end = left.size();
        if (width_of(left, font) > width) {
            const size_t fits = bytes_that_fit(left, "", font, width);
            const size_t space = left.rfind(' ', fits);
            end = std::min(space == std::string::npos || space == 0 ? left.find(' ', fits) : space, end);
        }
        made.push_back(left.substr(0, end));
        left.erase(0, end + 1);
    }
    if (!left.empty()) made.push_back(left);
    return made;
}

}  // namespace neutone_like::plugin
