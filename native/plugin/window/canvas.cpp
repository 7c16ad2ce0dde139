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

bool is_inside_a_letter(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

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

std::string Canvas::fitting(const std::string& text, const Font& font, double width) {
    if (width_of(text, font) <= width) return text;
    std::string part = text;
    while (!part.empty()) {
        while (!part.empty() && is_inside_a_letter(part.back())) part.pop_back();
        if (!part.empty()) part.pop_back();
        while (!part.empty() && part.back() == ' ') part.pop_back();
        if (width_of(part + kDots, font) <= width) break;
    }
    return part + kDots;
}

void Canvas::text(const std::string& text, const Font& font, const Box& box, double baseline, Align align) {
    const std::string shown = fitting(text, font, box.width);
    const double left_over = box.width - width_of(shown, font);
    const double shift = align == Align::left ? 0.0 : align == Align::right ? left_over : left_over / 2.0;
    draw_.move_to(cairo_, box.x + shift, baseline);
    draw_.show_text(cairo_, shown.c_str());
    draw_.new_path(cairo_);
}

std::vector<std::string> Canvas::lines(const std::string& text, const Font& font, double width, size_t most) {
    std::vector<std::string> made;
    size_t from = 0;
    while (from < text.size() && made.size() + 1 < most) {
        size_t end = text.size();
        for (size_t space = text.rfind(' '); width_of(text.substr(from, end - from), font) > width;) {
            if (space == std::string::npos || space <= from) break;
            end = space;
            space = text.rfind(' ', space - 1);
        }
        made.push_back(text.substr(from, end - from));
        from = std::min(end + 1, text.size());
    }
    if (from < text.size()) made.push_back(text.substr(from));
    return made;
}

}  // namespace neutone_like::plugin
