// How a window moves a knob: as the host's format has it, from one thread, and never on the audio thread.
#pragma once

#include <cstddef>
#include <string>

namespace neutone_like::plugin {

// A hand is on a knob from begin to end; values are the host's own, as Knob has them.
class Edits {
public:
    virtual ~Edits() = default;
    virtual void begin(size_t knob) = 0;
    virtual void change(size_t knob, double value) = 0;
    virtual void end(size_t knob) = 0;
    // The player's: another artifact.
    virtual void open(const std::string& path) = 0;
};

}  // namespace neutone_like::plugin
