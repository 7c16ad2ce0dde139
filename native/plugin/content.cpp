#include "content.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace neutone_like::plugin {

namespace {

Content read() {
    Content content;
    content.identity = own_identity();
    content.layouts = layouts_of(std::clamp(content.identity.in_channels, 1, kMostChannels),
                                 std::clamp(content.identity.out_channels, 1, kMostChannels));
    if (content.is_player()) {
        content.inside = std::make_shared<const Loaded>();
        content.knobs = slots_of({});
        return content;
    }
    Loaded inside = own_model(content.identity);
    content.knobs = knobs_of(inside.facts.parameters);
    if (!inside.problem.empty()) {
        content.identity.description = "Sound passes through unchanged: " + inside.problem;
        std::fprintf(stderr, "%s: sound passes through unchanged. %s\n", content.identity.name.c_str(),
                     inside.problem.c_str());
    }
    content.inside = std::make_shared<const Loaded>(std::move(inside));
    return content;
}

}  // namespace

size_t Content::find(uint32_t id) const noexcept {
    size_t index = 0;
    while (index < knobs.size() && knobs[index].id != id) ++index;
    return index;
}

const Content& content() {
    static const Content once = read();
    return once;
}

}  // namespace neutone_like::plugin
