#include "vst3_view.hpp"

#include <algorithm>
#include <cstring>

namespace neutone_like::plugin::vst3 {

namespace {

constexpr int32_t kLeastPixels = 120;

}  // namespace

Vst3View::Vst3View(Vst3Plugin& plugin, double scale) : plugin_(plugin), size_(natural_size(plugin.plugin(), scale)) {
    plugin_.addRef();
}

Vst3View::~Vst3View() {
    removed();
    plugin_.release();
}

Result Vst3View::queryInterface(const char* id, void** object) {
    *object = nullptr;
    if (kUnknownId.is(id) || kPlugViewId.is(id)) *object = static_cast<PlugView*>(this);
    if (kContentScaleId.is(id)) *object = static_cast<ContentScale*>(this);
    if (kTimerHandlerId.is(id)) *object = static_cast<TimerHandler*>(this);
    if (*object == nullptr) return kNoInterface;
    addRef();
    return kOk;
}

uint32_t Vst3View::release() {
    const uint32_t left = --references_;
    if (left == 0) delete this;
    return left;
}

Result Vst3View::isPlatformTypeSupported(const char* type) {
    return type != nullptr && std::strcmp(type, "X11EmbedWindowID") == 0 && desktop() != nullptr ? kOk : kFalse;
}

// Without the host's timer nothing would ever be drawn.
Result Vst3View::attached(void* parent, const char* type) {
    if (isPlatformTypeSupported(type) != kOk || frame_ == nullptr || window_ != nullptr) return kFalse;
    void* loop = nullptr;
    const Known id = kRunLoopId;
    if (frame_->queryInterface(reinterpret_cast<const char*>(id.bytes), &loop) != kOk || loop == nullptr) return kFalse;
    loop_ = static_cast<RunLoop*>(loop);
    window_ = Window::open(plugin_.plugin(), plugin_, static_cast<XId>(reinterpret_cast<uintptr_t>(parent)), size_);
    if (window_ == nullptr || loop_->registerTimer(this, kTimerMs) != kOk) {
        window_ = nullptr;
        loop_->release();
        loop_ = nullptr;
        return kFalse;
    }
    window_->show(true);
    return kOk;
}

Result Vst3View::removed() {
    if (loop_ != nullptr) {
        loop_->unregisterTimer(this);
        loop_->release();
        loop_ = nullptr;
    }
    window_ = nullptr;
    return kOk;
}

// The window hears of wheel and keys itself.
Result Vst3View::onWheel(float) { return kFalse; }
Result Vst3View::onKeyDown(char16_t, int16_t, int16_t) { return kFalse; }
Result Vst3View::onKeyUp(char16_t, int16_t, int16_t) { return kFalse; }
Result Vst3View::onFocus(uint8_t) { return kFalse; }

Result Vst3View::getSize(Rect* size) {
    if (size == nullptr) return kInvalid;
    *size = {0, 0, size_.width, size_.height};
    return kOk;
}

Result Vst3View::onSize(Rect* size) {
    if (size == nullptr) return kInvalid;
    size_ = {size->right - size->left, size->bottom - size->top};
    if (window_ != nullptr) window_->resize(size_);
    return kOk;
}

Result Vst3View::setFrame(PlugFrame* frame) {
    frame_ = frame;
    return kOk;
}

Result Vst3View::canResize() { return kOk; }

// Any size that can be seen: the knobs find their places.
Result Vst3View::checkSizeConstraint(Rect* size) {
    if (size == nullptr) return kInvalid;
    size->right = std::max(size->right, size->left + kLeastPixels);
    size->bottom = std::max(size->bottom, size->top + kLeastPixels);
    return kOk;
}

Result Vst3View::setContentScaleFactor(float factor) {
    if (!(factor >= 0.25f && factor <= 8.0f)) return kFalse;
    size_ = natural_size(plugin_.plugin(), static_cast<double>(factor));
    if (window_ == nullptr) return kOk;
    Rect wanted = {0, 0, size_.width, size_.height};
    return frame_ != nullptr ? frame_->resizeView(this, &wanted) : kOk;
}

void Vst3View::onTimer() {
    if (window_ != nullptr) window_->tick();
}

}  // namespace neutone_like::plugin::vst3
