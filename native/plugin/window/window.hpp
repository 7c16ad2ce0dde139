// The panel in a window of X11's, inside one that the host gives. A host's timer keeps it alive; all of it is one thread's.
#pragma once

#include <memory>

#include "panel.hpp"

namespace neutone_like::plugin {

constexpr unsigned kTimerMs = 33;

// Pixels of a unit, as the user has set up the display; 0: there is no display.
double display_scale();

class Window {
public:
    // Null: there is no display, or it doesn't take a window there.
    static std::unique_ptr<Window> open(Plugin& plugin, Edits& edits, XId parent, Size size);
    ~Window();
    Window(const Window&) = delete;
    Window& operator=(const Window&) = delete;

    XId id() const noexcept { return window_; }
    void show(bool is_shown);
    void resize(Size size);
    // What has happened since, and what is to be drawn. A host's timer calls it about kTimerMs apart.
    void tick();

private:
    Window(const Desktop& desktop, Display* display, Plugin& plugin, Edits& edits);

    bool create(XId parent, Size size);
    bool next(XEvent& event);
    void handle(XEvent& event);
    void press(const XPointerEvent& event);
    void take_key(XEvent& event);
    void paste(const XSelectionEvent& event);
    void pass_on(XEvent& key);
    XId symbol_of(XPointerEvent& event);
    XId focused();
    void listen(bool to_keys);
    void take_focus();
    void give_focus_back();
    void fit(Size size);
    void draw();

    const Desktop& desktop_;
    Display* display_;
    Panel panel_;
    Size size_;
    XId window_ = 0;
    CairoSurface* surface_ = nullptr;
    XId focused_before_ = 0;
    bool has_focus_ = false;
    bool is_exposed_ = true;
};

}  // namespace neutone_like::plugin
