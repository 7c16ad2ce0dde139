#include "layout.hpp"

#include <algorithm>
#include <cmath>

namespace neutone_like::plugin {

namespace {

constexpr double kMargin = 16.0;
constexpr double kHeader = 60.0;
constexpr double kMessage = 54.0;
constexpr double kFooter = 56.0;
constexpr double kCellWidth = 88.0;
constexpr double kCellHeight = 92.0;  // and the lines of the name
constexpr double kLine = 14.0;
constexpr double kLeastWidth = 400.0;
constexpr double kEmptyHeight = 60.0;  // of a model without knobs
constexpr size_t kMostColumns = 12;
constexpr double kBypassWidth = 78.0;

size_t rows_of(size_t knobs, size_t columns) { return (knobs + columns - 1) / columns; }

// Wide rather than high, and rows of the same length where that is possible.
size_t natural_columns(size_t knobs) {
    if (knobs <= 6) return std::max<size_t>(knobs, 1);
    size_t best = 6;
    double least = 1e9;
    for (size_t columns = 4; columns <= kMostColumns; ++columns) {
        const size_t rows = rows_of(knobs, columns);
        const double shape = static_cast<double>(columns) / static_cast<double>(rows);
        const double cost = std::abs(std::log(shape / 2.0)) +
                            0.5 * static_cast<double>(rows * columns - knobs) / static_cast<double>(columns);
        if (cost < least) {
            least = cost;
            best = columns;
        }
    }
    return best;
}

double name_height(const Contents& contents) { return contents.has_long_names ? 2.0 * kLine : kLine; }

Box size_with(const Contents& contents, size_t columns) {
    const double cell = kCellHeight + name_height(contents);
    const double grid =
        contents.knobs == 0 ? kEmptyHeight : static_cast<double>(rows_of(contents.knobs, columns)) * cell;
    const double width = std::max(kLeastWidth, static_cast<double>(columns) * kCellWidth + 2.0 * kMargin);
    return {0.0, 0.0, width, kHeader + (contents.has_message ? kMessage : 0.0) + grid + kFooter};
}

double scale_in(const Box& wanted, Size window) {
    return std::min(window.width / wanted.width, window.height / wanted.height);
}

void place_cells(PanelLayout& made, const Contents& contents, size_t columns, double top, double bottom) {
    if (contents.knobs == 0) return;
    const size_t rows = rows_of(contents.knobs, columns);
    const double cell_height = kCellHeight + made.name_height;
    const double width = made.all.width - 2.0 * kMargin;
    const double cell_width = std::min(width / static_cast<double>(columns), 1.5 * kCellWidth);
    const double left = (made.all.width - cell_width * static_cast<double>(columns)) / 2.0;
    const double first = top + (bottom - top - cell_height * static_cast<double>(rows)) / 2.0;
    for (size_t knob = 0; knob < contents.knobs; ++knob) {
        made.cells.push_back({left + cell_width * static_cast<double>(knob % columns),
                              first + cell_height * static_cast<double>(knob / columns), cell_width, cell_height});
    }
}

}  // namespace

Size natural_size(const Contents& contents, double scale) {
    const Box wanted = size_with(contents, natural_columns(contents.knobs));
    return {static_cast<int>(std::lround(wanted.width * scale)), static_cast<int>(std::lround(wanted.height * scale))};
}

PanelLayout panel_layout(const Contents& contents, Size window) {
    size_t columns = natural_columns(contents.knobs);
    for (size_t other = 1; other <= contents.knobs; ++other) {
        const bool is_larger =
            scale_in(size_with(contents, other), window) > 1.02 * scale_in(size_with(contents, columns), window);
        if (is_larger) columns = other;
    }
    PanelLayout made;
    made.scale = std::max(scale_in(size_with(contents, columns), window), 0.05);
    made.all = {0.0, 0.0, window.width / made.scale, window.height / made.scale};
    made.name_height = name_height(contents);
    const double inner = made.all.width - 2.0 * kMargin;
    made.bypass = {made.all.width - kMargin - kBypassWidth, 17.0, kBypassWidth, 26.0};
    made.title = {kMargin, 10.0, inner - kBypassWidth - kMargin, 24.0};
    made.subtitle = {kMargin, 32.0, made.title.width, 18.0};
    const double after = kHeader + (contents.has_message ? kMessage : 0.0);
    if (contents.has_message) made.message = {kMargin, kHeader, inner, kMessage - 6.0};
    const double bottom = made.all.height - kFooter;
    place_cells(made, contents, columns, after, bottom);
    made.meter = {kMargin, bottom + 14.0, 0.46 * inner, 30.0};
    made.facts = {made.meter.right() + kMargin, bottom + 10.0, inner - made.meter.width - kMargin, 38.0};
    return made;
}

}  // namespace neutone_like::plugin
