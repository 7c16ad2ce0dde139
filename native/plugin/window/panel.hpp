// The knobs, the meter and the facts that a window shows, and what a hand does to them. It knows no window system.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "../plugin.hpp"
#include "edits.hpp"
#include "layout.hpp"

namespace neutone_like::plugin {

enum class Key { next, previous, up, down, page_up, page_down, lowest, highest, standard, choose };

// Of a hand on the mouse, in pixels of the window.
struct Pointer {
    double x = 0.0, y = 0.0;
    double seconds = 0.0;  // of any clock
    bool is_fine = false;  // a key makes moves small
};

// "-3.1" with a dash for the minus, whatever the host's locale is.
std::string tenths_text(double value);

// What a window with all of a plugin's knobs would like to have.
Size natural_size(const Plugin& plugin, double scale);

class Panel {
public:
    Panel(Plugin& plugin, Edits& edits);
    ~Panel();
    Panel(const Panel&) = delete;
    Panel& operator=(const Panel&) = delete;

    void resize(Size window);
    double scale() const noexcept { return layout_.scale; }

    void press(const Pointer& at);
    void move(const Pointer& at);
    void release(const Pointer& at);
    void wheel(const Pointer& at, bool is_up);
    void leave();
    // The hand that held a knob is gone, without having let go of it here.
    void let_go();
    void key(Key key);
    // Whether a path can be pasted here, and that.
    bool takes_artifacts() const noexcept { return plugin_.of().is_player(); }
    void open(const std::string& path);

    // Reads what there is to show. True: something is to be drawn anew.
    bool refresh(double seconds);
    void draw(Canvas& canvas);

private:
    static constexpr size_t kNone = std::numeric_limits<size_t>::max();

    struct Held {
        size_t knob = kNone;
        double from_y = 0.0;
        double position = 0.0;  // where a fine hand would have it, 0..1
        bool has_moved = false;
    };
    struct Facts {
        std::string name, message, load, latency;
        bool operator==(const Facts&) const = default;
    };
    struct Level {
        double db = -200.0;       // what the bar shows
        double highest = -200.0;  // of the last seconds
        double highest_since = 0.0;
        bool operator==(const Level&) const = default;
    };

    void take_knobs();
    void take_facts(double seconds);
    void take_levels(double seconds);
    std::string load_text(double seconds);
    const Knob& knob(size_t at) const noexcept { return (*knobs_)[at]; }
    double position(size_t at) const noexcept;  // 0..1, on its dial
    std::string value_text(size_t at) const;
    size_t knob_at(const Pointer& at) const noexcept;
    size_t bypass() const noexcept { return knobs_->size() - 1; }
    bool is_bypassed() const noexcept { return position(bypass()) > 0.5; }

    void set(size_t at, double value);
    void edit(size_t at, double value);  // a whole gesture
    void step(size_t at, double steps, double part);

    void draw_header(Canvas& canvas) const;
    void draw_message(Canvas& canvas) const;
    void draw_knob(Canvas& canvas, size_t at, const Box& cell) const;
    void draw_dial(Canvas& canvas, size_t at, double x, double y) const;
    void draw_meter(Canvas& canvas) const;
    void draw_facts(Canvas& canvas) const;

    Plugin& plugin_;
    Edits& edits_;
    std::shared_ptr<const std::vector<Knob>> knobs_;
    std::vector<size_t> shown_;  // which of them have a cell
    Contents contents_;
    Size window_;
    PanelLayout layout_;

    Held held_;
    size_t hovered_ = kNone;
    size_t selected_ = kNone;  // by the keyboard
    size_t clicked_ = kNone;
    double clicked_at_ = -1.0;

    // What the hand did last: a host takes a moment to have it.
    size_t edited_ = kNone;
    double edited_to_ = 0.0;
    double edited_at_ = -1.0;
    double now_ = 0.0;

    Facts facts_;
    double facts_at_ = -1.0;
    uint64_t read_ticks_ = 0, read_callback_ = 0, read_worker_ = 0, read_samples_ = 0;
    std::array<Level, 2> levels_;
    std::vector<double> drawn_;  // positions
    bool is_stale_ = true;
};

}  // namespace neutone_like::plugin
