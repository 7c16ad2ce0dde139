#include "window.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "clipboard.hpp"
#include "signal/decimal.hpp"

namespace neutone_like::plugin {

namespace {

constexpr int kMostPixels = 8192;
constexpr double kUsualDpi = 96.0;
constexpr int kRevertToParent = 2;
constexpr XId kLetterV = 0x76;
constexpr XId kNobodysFocus = 1;  // the pointer's, or none

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Pointer pointer_of(const XPointerEvent& event) {
    return {static_cast<double>(event.x), static_cast<double>(event.y), static_cast<double>(event.time) / 1000.0,
            (event.state & kShiftIsDown) != 0};
}

bool key_of(XId symbol, bool is_shifted, Key& key) {
    constexpr std::pair<XId, Key> kKeys[] = {{0xff09, Key::next},    {0xfe20, Key::previous},  {0xff51, Key::previous},
                                             {0xff53, Key::next},    {0xff52, Key::up},        {0xff54, Key::down},
                                             {0xff55, Key::page_up}, {0xff56, Key::page_down}, {0xff50, Key::lowest},
                                             {0xff57, Key::highest}, {0xffff, Key::standard},  {0xff08, Key::standard},
                                             {0xff0d, Key::choose}};
    for (const auto& [known, meaning] : kKeys) {
        if (known != symbol) continue;
        key = meaning == Key::next && symbol == 0xff09 && is_shifted ? Key::previous : meaning;
        return true;
    }
    return false;
}

}  // namespace

double display_scale() {
    const Desktop* of = desktop();
    Display* display = of == nullptr ? nullptr : of->open_display(nullptr);
    if (display == nullptr) return 0.0;
    const char* text = of->get_default(display, "Xft", "dpi");
    double dpi = 0.0;
    if (text != nullptr) read_decimal(text, dpi);
    of->close_display(display);
    return std::clamp(dpi / kUsualDpi, 1.0, 4.0);
}

std::unique_ptr<Window> Window::open(Plugin& plugin, Edits& edits, XId parent, Size size) {
    const Desktop* of = desktop();
    Display* display = of == nullptr ? nullptr : of->open_display(nullptr);
    if (display == nullptr) return nullptr;
    std::unique_ptr<Window> made(new Window(*of, display, plugin, edits));
    return made->create(parent, size) ? std::move(made) : nullptr;
}

Window::Window(const Desktop& desktop, Display* display, Plugin& plugin, Edits& edits)
    : desktop_(desktop), display_(display), panel_(plugin, edits) {}

Window::~Window() {
    const IgnoredErrors ignored(desktop_, display_);
    give_focus_back();
    if (surface_ != nullptr) desktop_.surface_destroy(surface_);
    if (window_ != 0) desktop_.destroy_window(display_, window_);
    desktop_.close_display(display_);
}

bool Window::create(XId parent, Size size) {
    const IgnoredErrors ignored(desktop_, display_);
    XAttributes of_parent{};
    if (desktop_.attributes(display_, parent, &of_parent) == 0) return false;
    size_ = {std::clamp(size.width, 1, kMostPixels), std::clamp(size.height, 1, kMostPixels)};
    window_ = desktop_.create_window(display_, parent, 0, 0, static_cast<unsigned>(size_.width),
                                     static_cast<unsigned>(size_.height), 0, 0, 0);
    XAttributes own{};
    if (window_ == 0 || desktop_.attributes(display_, window_, &own) == 0) return false;
    desktop_.no_background(display_, window_, 0);  // what is drawn doesn't flicker
    listen(false);
    surface_ = desktop_.surface_create(display_, window_, own.visual, size_.width, size_.height);
    panel_.resize(size_);
    return true;
}

void Window::show(bool is_shown) {
    if (!is_shown) panel_.let_go();
    const IgnoredErrors ignored(desktop_, display_);
    if (!is_shown) give_focus_back();
    is_shown ? desktop_.map_window(display_, window_) : desktop_.unmap_window(display_, window_);
    desktop_.flush(display_);
}

void Window::resize(Size size) {
    const IgnoredErrors ignored(desktop_, display_);
    const Size possible = {std::clamp(size.width, 1, kMostPixels), std::clamp(size.height, 1, kMostPixels)};
    desktop_.resize_window(display_, window_, static_cast<unsigned>(possible.width),
                           static_cast<unsigned>(possible.height));
    fit(possible);
    desktop_.flush(display_);
}

void Window::fit(Size size) {
    if (size.width == size_.width && size.height == size_.height) return;
    const IgnoredErrors ignored(desktop_, display_);
    size_ = size;
    desktop_.surface_set_size(surface_, size.width, size.height);
    panel_.resize(size);
}

// What the hand does is told to the host while nothing is held that another window may wait for.
void Window::tick() {
    XEvent event;
    while (next(event)) handle(event);
    if (panel_.refresh(now()) || is_exposed_) draw();
}

bool Window::next(XEvent& event) {
    const IgnoredErrors ignored(desktop_, display_);
    while (desktop_.pending(display_) > 0) {
        desktop_.next_event(display_, &event);
        if (event.any.window == window_) return true;
    }
    return false;
}

void Window::handle(XEvent& event) {
    switch (event.any.type) {
        case kExpose: is_exposed_ = true; break;
        case kConfigureNotify: fit({event.configure.width, event.configure.height}); break;
        case kButtonPress: press(event.pointer); break;
        case kButtonRelease:
            if (event.pointer.which == 1) panel_.release(pointer_of(event.pointer));
            break;
        case kMotionNotify:
            if ((event.pointer.state & kButton1IsDown) == 0) panel_.let_go();
            panel_.move(pointer_of(event.pointer));
            break;
        case kLeaveNotify:
            panel_.leave();
            give_focus_back();
            break;
        case kFocusOut:
            if (has_focus_ && focused() != window_) {
                has_focus_ = false;
                listen(false);
            }
            break;
        case kKeyPress:
        case kKeyRelease: take_key(event); break;
        case kSelectionNotify: paste(event.selection); break;
        default: break;
    }
}

void Window::press(const XPointerEvent& event) {
    if (event.which == 1) {
        take_focus();
        panel_.press(pointer_of(event));
    }
    if (event.which == 4 || event.which == 5) panel_.wheel(pointer_of(event), event.which == 4);
}

void Window::take_key(XEvent& event) {
    const unsigned state = event.pointer.state;
    const XId symbol = symbol_of(event.pointer);
    Key key = Key::next;
    if (panel_.takes_artifacts() && (state & kControlIsDown) != 0 && symbol == kLetterV) {
        if (event.any.type == kKeyPress) ask_clipboard(desktop_, display_, window_, event.pointer.time);
    } else if ((state & kControlOrAltIsDown) != 0 || !key_of(symbol, (state & kShiftIsDown) != 0, key)) {
        pass_on(event);
    } else if (event.any.type == kKeyPress) {
        panel_.key(key);
    }
}

void Window::paste(const XSelectionEvent& event) {
    const std::string path = path_in(clipboard_text(desktop_, display_, event));
    if (!path.empty()) panel_.open(path);
}

// One that the host has something for, such as starting and stopping.
void Window::pass_on(XEvent& key) {
    if (!has_focus_ || focused_before_ <= kNobodysFocus || focused_before_ == window_) return;
    const IgnoredErrors ignored(desktop_, display_);
    key.any.window = focused_before_;
    desktop_.send_event(display_, focused_before_, 1, key.any.type == kKeyPress ? kKeyPressMask : kKeyReleaseMask,
                        &key);
    desktop_.flush(display_);
}

XId Window::symbol_of(XPointerEvent& event) {
    const IgnoredErrors ignored(desktop_, display_);
    return desktop_.key_of(&event, 0);
}

// The keyboard is the host's, but while the mouse is here after a click; and then, too, what the panel has no use for.
void Window::take_focus() {
    if (has_focus_) return;
    const IgnoredErrors ignored(desktop_, display_);
    const XId before = focused();
    if (before != window_) focused_before_ = before;
    listen(true);
    desktop_.set_focus(display_, window_, kRevertToParent, 0);
    has_focus_ = true;
}

void Window::give_focus_back() {
    if (!std::exchange(has_focus_, false)) return;
    const IgnoredErrors ignored(desktop_, display_);
    listen(false);
    if (focused_before_ != 0 && focused() == window_) {
        desktop_.set_focus(display_, focused_before_, kRevertToParent, 0);
    }
}

XId Window::focused() {
    const IgnoredErrors ignored(desktop_, display_);
    XId found = 0;
    int revert_to = 0;
    desktop_.get_focus(display_, &found, &revert_to);
    return found;
}

// Where a window of the host's around this one has the keyboard, the server gives keys to what is under the mouse, if it listens.
void Window::listen(bool to_keys) {
    const IgnoredErrors ignored(desktop_, display_);
    desktop_.select_input(display_, window_, kEventMask | (to_keys ? kKeyPressMask | kKeyReleaseMask : 0));
}

void Window::draw() {
    is_exposed_ = false;
    const IgnoredErrors ignored(desktop_, display_);
    Cairo* cairo = desktop_.create(surface_);
    desktop_.push_group(cairo);
    desktop_.scale(cairo, panel_.scale(), panel_.scale());
    Canvas canvas(desktop_, cairo);
    panel_.draw(canvas);
    desktop_.pop_group_to_source(cairo);
    desktop_.paint(cairo);
    desktop_.destroy(cairo);
    desktop_.surface_flush(surface_);
    desktop_.flush(display_);
}

}  // namespace neutone_like::plugin
