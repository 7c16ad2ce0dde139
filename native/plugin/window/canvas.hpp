// What the panel draws with, on cairo.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "desktop.hpp"

namespace neutone_like::plugin {

struct Box {
    double x = 0.0, y = 0.0, width = 0.0, height = 0.0;

    double right() const noexcept { return x + width; }
    double bottom() const noexcept { return y + height; }
    double middle_x() const noexcept { return x + width / 2.0; }
    double middle_y() const noexcept { return y + height / 2.0; }
    bool holds(double at_x, double at_y) const noexcept {
        return at_x >= x && at_x < right() && at_y >= y && at_y < bottom();
    }
};

struct Font {
    double size = 12.0;
    bool is_bold = false;
};

enum class Align { left, middle, right };

class Canvas {
public:
    Canvas(const Desktop& desktop, Cairo* cairo) : draw_(desktop), cairo_(cairo) {}

    void color(uint32_t rgb, double alpha = 1.0);
    void fill(const Box& box, double radius = 0.0);
    void outline(const Box& box, double radius, double width);
    void disc(double x, double y, double radius);
    // Radians, clockwise from the right.
    void arc(double x, double y, double radius, double from, double to, double width);
    void line(double from_x, double from_y, double to_x, double to_y, double width);

    double width_of(const std::string& text, const Font& font);
    // One line on this baseline, within the box's width: the end gives way to "...".
    void text(const std::string& text, const Font& font, const Box& box, double baseline, Align align);
    // Cut at spaces into at most as many lines; the last one has all that is left.
    std::vector<std::string> lines(const std::string& text, const Font& font, double width, size_t most);

private:
    void use(const Font& font);
    void path(const Box& box, double radius);
    size_t bytes_that_fit(const std::string& text, const char* ending, const Font& font, double width);
    std::string fitting(const std::string& text, const Font& font, double width);

    const Desktop& draw_;
    Cairo* cairo_;
};

}  // namespace neutone_like::plugin
