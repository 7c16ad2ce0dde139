// How many channels a host sends and gets.
#pragma once

#include <vector>

namespace neutone_like::plugin {

constexpr int kMostChannels = 8;  // on a side

struct Layout {
    int inputs = 2;
    int outputs = 2;

    bool operator==(const Layout&) const = default;
    // One input is heard on both sides.
    bool spreads() const noexcept { return inputs == 1 && outputs == 2; }
};

// Those of a plugin whose model has so many channels: mono and stereo become each other, any other count is what it is. As
// neutone_like/plugin/lv2.py has them.
inline std::vector<Layout> layouts_of(int inputs, int outputs) {
    if (inputs <= 2 && outputs <= 2) return {{2, 2}, {1, 1}, {1, 2}};
    return {{inputs, outputs}};
}

}  // namespace neutone_like::plugin
