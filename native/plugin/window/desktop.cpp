#include "desktop.hpp"

#if defined(__linux__)
#include <dlfcn.h>
#endif
#include <atomic>
#include <mutex>

#include "../file.hpp"

namespace neutone_like::plugin {

namespace {

// Xlib has one handler for all of a process. Windows of several plugins may be of several threads, and a thread of the host's
// may have an error of its own display meanwhile.
std::recursive_mutex handling;
int depth = 0;
std::atomic<Display*> ours{nullptr};
std::atomic<XErrorHandler> theirs{nullptr};

int handle(Display* display, XError* error) {
    const XErrorHandler other = theirs;
    return display == ours || other == nullptr ? 0 : other(display, error);
}

#if defined(__linux__)
template <typename Function>
bool take(void* library, const char* name, Function& function) noexcept {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

bool take_xlib(void* from, Desktop& into) noexcept {
    return take(from, "XOpenDisplay", into.open_display) && take(from, "XCloseDisplay", into.close_display) &&
           take(from, "XCreateSimpleWindow", into.create_window) && take(from, "XDestroyWindow", into.destroy_window) &&
           take(from, "XSetWindowBackgroundPixmap", into.no_background) &&
           take(from, "XGetWindowAttributes", into.attributes) && take(from, "XSelectInput", into.select_input) &&
           take(from, "XMapWindow", into.map_window) && take(from, "XUnmapWindow", into.unmap_window) &&
           take(from, "XResizeWindow", into.resize_window) && take(from, "XPending", into.pending) &&
           take(from, "XNextEvent", into.next_event) && take(from, "XFlush", into.flush) &&
           take(from, "XLookupKeysym", into.key_of) && take(from, "XGetInputFocus", into.get_focus) &&
           take(from, "XSetInputFocus", into.set_focus) && take(from, "XSendEvent", into.send_event) &&
           take(from, "XGetDefault", into.get_default) && take(from, "XSetErrorHandler", into.set_error_handler) &&
           take(from, "XInternAtom", into.atom) && take(from, "XConvertSelection", into.convert_selection) &&
           take(from, "XGetWindowProperty", into.property) && take(from, "XFree", into.free);
}

bool take_cairo(void* from, Desktop& into) noexcept {
    return take(from, "cairo_xlib_surface_create", into.surface_create) &&
           take(from, "cairo_xlib_surface_set_size", into.surface_set_size) &&
           take(from, "cairo_surface_flush", into.surface_flush) &&
           take(from, "cairo_surface_destroy", into.surface_destroy) && take(from, "cairo_create", into.create) &&
           take(from, "cairo_destroy", into.destroy) && take(from, "cairo_push_group", into.push_group) &&
           take(from, "cairo_pop_group_to_source", into.pop_group_to_source) && take(from, "cairo_paint", into.paint) &&
           take(from, "cairo_scale", into.scale) && take(from, "cairo_set_source_rgba", into.set_source) &&
           take(from, "cairo_new_path", into.new_path) && take(from, "cairo_rectangle", into.rectangle) &&
           take(from, "cairo_arc", into.arc) && take(from, "cairo_move_to", into.move_to) &&
           take(from, "cairo_line_to", into.line_to) && take(from, "cairo_close_path", into.close_path) &&
           take(from, "cairo_set_line_width", into.set_line_width) &&
           take(from, "cairo_set_line_cap", into.set_line_cap) && take(from, "cairo_stroke", into.stroke) &&
           take(from, "cairo_fill", into.fill) && take(from, "cairo_select_font_face", into.select_font) &&
           take(from, "cairo_set_font_size", into.set_font_size) &&
           take(from, "cairo_text_extents", into.text_extents) && take(from, "cairo_show_text", into.show_text);
}

// They stay open: what they keep for a thread or a display may outlive the last window.
const Desktop* opened() noexcept {
    static Desktop made{};
    void* xlib = dlopen("libX11.so.6", RTLD_NOW | RTLD_LOCAL);
    void* cairo = dlopen("libcairo.so.2", RTLD_NOW | RTLD_LOCAL);
    return xlib != nullptr && cairo != nullptr && take_xlib(xlib, made) && take_cairo(cairo, made) ? &made : nullptr;
}
#else
const Desktop* opened() noexcept { return nullptr; }
#endif

}  // namespace

const Desktop* desktop() noexcept {
    if (environment("DISPLAY").empty()) return nullptr;
    static const Desktop* const once = opened();
    return once;
}

IgnoredErrors::IgnoredErrors(const Desktop& of, Display* display) noexcept : of_(of) {
    handling.lock();
    before_ = ours.exchange(display);
    if (depth++ == 0) theirs = of_.set_error_handler(handle);
}

IgnoredErrors::~IgnoredErrors() {
    ours = before_;
    if (--depth == 0) of_.set_error_handler(theirs);
    handling.unlock();
}

}  // namespace neutone_like::plugin
