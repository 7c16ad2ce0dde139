// LV2: the window. It looks at its plugin in the same process for what is shown, and moves knobs by the host's ports.
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "content.hpp"
#include "exported.hpp"
#include "lv2_abi.hpp"
#include "lv2_ports.hpp"
#include "window/window.hpp"

namespace neutone_like::plugin::lv2 {

namespace {

constexpr const char* kInstance = "http://lv2plug.in/ns/ext/instance-access";
constexpr const char* kUi = "http://lv2plug.in/ns/extensions/ui#";
constexpr uint32_t kFloat = 0;  // the protocol of a control port's value

std::string ui(const char* name) { return std::string(kUi) + name; }

// As the host says, or as the display is set up.
double scale_of(Features features) {
    const auto* map = static_cast<const UridMap*>(feature(features, "http://lv2plug.in/ns/ext/urid#map"));
    const auto* option = static_cast<const Option*>(feature(features, "http://lv2plug.in/ns/ext/options#options"));
    if (map != nullptr && option != nullptr) {
        const uint32_t key = map->map(map->handle, ui("scaleFactor").c_str());
        const uint32_t type = map->map(map->handle, "http://lv2plug.in/ns/ext/atom#Float");
        for (; option->key != 0; ++option) {
            if (option->key != key || option->type != type || option->size != sizeof(float)) continue;
            float scale = 0.0f;
            std::memcpy(&scale, option->value, sizeof scale);
            if (scale >= 0.25f && scale <= 8.0f) return static_cast<double>(scale);
        }
    }
    return display_scale();
}

class Lv2Window final : public Edits {
public:
    Lv2Window(void* instance, WriteFunction write, void* controller, Features features)
        : ports_(ports_of(instance)),
          write_(write),
          controller_(controller),
          touch_(static_cast<const Touch*>(feature(features, ui("touch").c_str()))) {}

    // False: there is no display.
    bool open(XId parent, Features features) {
        const double scale = scale_of(features);
        if (scale <= 0.0) return false;
        const Size size = natural_size(*ports_.plugin, scale);
        window_ = Window::open(*ports_.plugin, *this, parent, size);
        if (window_ == nullptr) return false;
        const auto* resize = static_cast<const Resize*>(feature(features, ui("resize").c_str()));
        if (resize != nullptr) resize->resize(resize->handle, size.width, size.height);
        window_->show(true);
        return true;
    }

    Window& window() noexcept { return *window_; }

    void begin(size_t knob) override { touch(knob, true); }
    void end(size_t knob) override { touch(knob, false); }
    void change(size_t knob, double value) override {
        const auto on_port = static_cast<float>(is_bypass(knob) ? 1.0 - value : value);
        // Where its port has this value already, the player takes it for one that nobody has moved.
        if (content().is_player()) {
            ports_.plugin->show(knob, value);
            ports_.plugin->hear_shown();
        }
        write_(controller_, port(knob), sizeof on_port, kFloat, &on_port);
    }

    void open(const std::string& path) override { ports_.plugin->open(path); }

private:
    bool is_bypass(size_t knob) const noexcept { return knob == content().bypass(); }
    uint32_t port(size_t knob) const noexcept {
        return is_bypass(knob) ? ports_.enabled : ports_.first_knob + static_cast<uint32_t>(knob);
    }
    void touch(size_t knob, bool is_held) {
        if (touch_ != nullptr) touch_->touch(touch_->handle, port(knob), is_held);
    }

    Ports ports_;
    WriteFunction write_;
    void* controller_;
    const Touch* touch_;
    std::unique_ptr<Window> window_;
};

Lv2Window& of(void* window) { return *static_cast<Lv2Window*>(window); }

// Null: the host shows its own knobs.
void* instantiate(const UiDescriptor*, const char* plugin, const char*, WriteFunction write, void* controller,
                  void** widget, Features features) {
    void* instance = feature(features, kInstance);
    void* parent = feature(features, ui("parent").c_str());
    const std::string& own = content().identity.uri;
    const bool is_ours = plugin != nullptr && std::strncmp(plugin, own.c_str(), own.size()) == 0;
    if (!is_ours || instance == nullptr || parent == nullptr || write == nullptr || widget == nullptr) return nullptr;
    try {
        auto made = std::make_unique<Lv2Window>(instance, write, controller, features);
        if (!made->open(static_cast<XId>(reinterpret_cast<uintptr_t>(parent)), features)) return nullptr;
        *widget = reinterpret_cast<void*>(static_cast<uintptr_t>(made->window().id()));
        return made.release();
    } catch (const std::exception&) {
        return nullptr;
    }
}

constexpr IdleInterface kIdle = {[](void* window) {
    of(window).window().tick();
    return 0;
}};
constexpr Resize kResize = {nullptr, [](void* window, int width, int height) {
                                of(window).window().resize({width, height});
                                return 0;
                            }};

const void* extension(const char* uri) {
    if (ui("idleInterface") == uri) return &kIdle;
    return ui("resize") == uri ? &kResize : nullptr;
}

const UiDescriptor* descriptor() {
    static const std::string uri = content().identity.uri + "#window";
    // What a port holds is read from the plugin.
    static const UiDescriptor once = {uri.c_str(), instantiate, [](void* window) { delete &of(window); },
                                      [](void*, uint32_t, uint32_t, uint32_t, const void*) {}, extension};
    return &once;
}

}  // namespace

}  // namespace neutone_like::plugin::lv2

extern "C" NEUTONE_LIKE_EXPORTED const neutone_like::plugin::lv2::UiDescriptor* lv2ui_descriptor(uint32_t index) {
    return index == 0 ? neutone_like::plugin::lv2::descriptor() : nullptr;
}
