// What all instances of a plugin share: which one it is, what can be set, and its model, if it has one of its own.
#pragma once

#include <memory>
#include <vector>

#include "identity.hpp"
#include "knob.hpp"
#include "loaded.hpp"
#include "port_layout.hpp"

namespace neutone_like::plugin {

struct Content {
    Identity identity;
    std::vector<Knob> knobs;      // the model's parameters or the player's slots, and bypass as the last one
    std::vector<Layout> layouts;  // that a host may choose; the first one unless it does
    std::shared_ptr<const Loaded> inside;

    bool is_player() const noexcept { return identity.player != 0; }
    size_t bypass() const noexcept { return knobs.size() - 1; }
    // The index of a knob; knobs.size(): there is none.
    size_t find(uint32_t id) const noexcept;
};

// Of this binary, read when it is first asked for. It is always there: without a model sound passes through.
const Content& content();

}  // namespace neutone_like::plugin
