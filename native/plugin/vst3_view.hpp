// VST3: the window in a host. It holds its plugin, and lives until the host lets go of it.
#pragma once

#include <memory>

#include "vst3_plugin.hpp"
#include "window/window.hpp"

namespace neutone_like::plugin::vst3 {

class Vst3View final : public PlugView, public ContentScale, public TimerHandler {
public:
    Vst3View(Vst3Plugin& plugin, double scale);
    virtual ~Vst3View();

    Result queryInterface(const char* id, void** object) override;
    uint32_t addRef() override { return ++references_; }
    uint32_t release() override;

    Result isPlatformTypeSupported(const char* type) override;
    Result attached(void* parent, const char* type) override;
    Result removed() override;
    Result onWheel(float distance) override;
    Result onKeyDown(char16_t letter, int16_t key, int16_t modifiers) override;
    Result onKeyUp(char16_t letter, int16_t key, int16_t modifiers) override;
    Result getSize(Rect* size) override;
    Result onSize(Rect* size) override;
    Result onFocus(uint8_t state) override;
    Result setFrame(PlugFrame* frame) override;
    Result canResize() override;
    Result checkSizeConstraint(Rect* size) override;

    Result setContentScaleFactor(float factor) override;

    void onTimer() override;

private:
    std::atomic<uint32_t> references_{1};
    Vst3Plugin& plugin_;
    PlugFrame* frame_ = nullptr;
    RunLoop* loop_ = nullptr;  // which has our timer
    Size size_;
    std::unique_ptr<Window> window_;
};

}  // namespace neutone_like::plugin::vst3
