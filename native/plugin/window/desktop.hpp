// As much of Xlib's and cairo's binary interfaces as the window uses: names and layouts are what the libraries have. They are
// opened when a window is first asked for, so that the plugin itself needs neither.
#pragma once

namespace neutone_like::plugin {

struct Display;
struct Visual;
struct Cairo;
struct CairoSurface;
using XId = unsigned long;  // a window, a key

// ---- Events ----

enum {
    kKeyPress = 2,
    kKeyRelease = 3,
    kButtonPress = 4,
    kButtonRelease = 5,
    kMotionNotify = 6,
    kEnterNotify = 7,
    kLeaveNotify = 8,
    kFocusOut = 10,
    kExpose = 12,
    kConfigureNotify = 22,
    kSelectionNotify = 31
};
constexpr long kKeyPressMask = 1L << 0;
constexpr long kKeyReleaseMask = 1L << 1;
constexpr long kEventMask = 1L << 2 | 1L << 3 | 1L << 4 | 1L << 5 | 1L << 6 | 1L << 15 | 1L << 17 | 1L << 21;
constexpr unsigned kShiftIsDown = 1u << 0;
constexpr unsigned kControlIsDown = 1u << 2;
constexpr unsigned kControlOrAltIsDown = 1u << 2 | 1u << 3;
constexpr unsigned kButton1IsDown = 1u << 8;

struct XAnyEvent {
    int type;
    unsigned long serial;
    int is_sent;
    Display* display;
    XId window;
};
struct XPointerEvent {  // of a button, a key or a motion
    XAnyEvent any;
    XId root, child;
    unsigned long time;  // ms
    int x, y, root_x, root_y;
    unsigned state;
    unsigned which;  // button or key code; of a motion nothing
    int same_screen;
};
struct XConfigureEvent {
    XAnyEvent any;
    XId window;
    int x, y, width, height;
};
struct XSelectionEvent {
    XAnyEvent any;
    XId selection, target, property;
    unsigned long time;
};
union XEvent {
    XAnyEvent any;
    XPointerEvent pointer;
    XConfigureEvent configure;
    XSelectionEvent selection;
    long room[24];
};
struct XAttributes {
    int x, y, width, height, border_width, depth;
    Visual* visual;
    long room[32];
};
struct XError {
    int type;
    Display* display;
};
using XErrorHandler = int (*)(Display* display, XError* error);

struct TextExtents {
    double x_bearing, y_bearing, width, height, x_advance, y_advance;
};

// ---- Functions ----

struct Desktop {
    Display* (*open_display)(const char* name);
    int (*close_display)(Display* display);
    XId (*create_window)(Display* display, XId parent, int x, int y, unsigned width, unsigned height, unsigned border,
                         unsigned long border_color, unsigned long background);
    int (*destroy_window)(Display* display, XId window);
    int (*no_background)(Display* display, XId window, XId pixmap);
    int (*attributes)(Display* display, XId window, XAttributes* attributes);
    int (*select_input)(Display* display, XId window, long mask);
    int (*map_window)(Display* display, XId window);
    int (*unmap_window)(Display* display, XId window);
    int (*resize_window)(Display* display, XId window, unsigned width, unsigned height);
    int (*pending)(Display* display);
    int (*next_event)(Display* display, XEvent* event);
    int (*flush)(Display* display);
    XId (*key_of)(XPointerEvent* event, int column);
    int (*get_focus)(Display* display, XId* window, int* revert_to);
    int (*set_focus)(Display* display, XId window, int revert_to, unsigned long time);
    int (*send_event)(Display* display, XId window, int propagates, long mask, XEvent* event);
    char* (*get_default)(Display* display, const char* program, const char* option);
    XErrorHandler (*set_error_handler)(XErrorHandler handler);
    XId (*atom)(Display* display, const char* name, int only_if_exists);
    int (*convert_selection)(Display* display, XId selection, XId target, XId property, XId window, unsigned long time);
    int (*property)(Display* display, XId window, XId property, long from, long words, int deletes, XId wanted_type,
                    XId* type, int* bits, unsigned long* count, unsigned long* left, unsigned char** data);
    int (*free)(void* data);

    CairoSurface* (*surface_create)(Display* display, XId window, Visual* visual, int width, int height);
    void (*surface_set_size)(CairoSurface* surface, int width, int height);
    void (*surface_flush)(CairoSurface* surface);
    void (*surface_destroy)(CairoSurface* surface);
    Cairo* (*create)(CairoSurface* surface);
    void (*destroy)(Cairo* cairo);
    void (*push_group)(Cairo* cairo);
    void (*pop_group_to_source)(Cairo* cairo);
    void (*paint)(Cairo* cairo);
    void (*scale)(Cairo* cairo, double x, double y);
    void (*set_source)(Cairo* cairo, double red, double green, double blue, double alpha);
    void (*new_path)(Cairo* cairo);
    void (*rectangle)(Cairo* cairo, double x, double y, double width, double height);
    void (*arc)(Cairo* cairo, double x, double y, double radius, double from, double to);
    void (*move_to)(Cairo* cairo, double x, double y);
    void (*line_to)(Cairo* cairo, double x, double y);
    void (*close_path)(Cairo* cairo);
    void (*set_line_width)(Cairo* cairo, double width);
    void (*set_line_cap)(Cairo* cairo, int cap);
    void (*stroke)(Cairo* cairo);
    void (*fill)(Cairo* cairo);
    void (*select_font)(Cairo* cairo, const char* family, int slant, int weight);
    void (*set_font_size)(Cairo* cairo, double size);
    void (*text_extents)(Cairo* cairo, const char* text, TextExtents* extents);
    void (*show_text)(Cairo* cairo, const char* text);
};

// Null: there is no X server to ask, one of the libraries is missing, or this is no Linux.
const Desktop* desktop() noexcept;

// While it lives, errors of this display, such as of a window that the host has closed meanwhile, end nothing.
class IgnoredErrors {
public:
    IgnoredErrors(const Desktop& of, Display* display) noexcept;
    ~IgnoredErrors();
    IgnoredErrors(const IgnoredErrors&) = delete;
    IgnoredErrors& operator=(const IgnoredErrors&) = delete;

private:
    const Desktop& of_;
    Display* before_ = nullptr;
};

}  // namespace neutone_like::plugin
