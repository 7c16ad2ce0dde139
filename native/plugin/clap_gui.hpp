// CLAP: the window, and how what a hand does there gets to the processor and to the host.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "clap_abi.h"
#include "window/edits.hpp"
#include "window/window.hpp"

namespace neutone_like::plugin {

struct ClapPlugin;

// Sound hears a change from its next block on. The host hears of it there, too, or when it flushes.
class ClapEdits final : public Edits {
public:
    explicit ClapEdits(ClapPlugin& plugin) : plugin_(plugin) {}

    // [main]
    void begin(size_t knob) override;
    void change(size_t knob, double value) override;
    void end(size_t knob) override;
    void open(const std::string& path) override;

    // [audio, or main while it is not active] Null: nobody listens, and it is kept.
    void tell(const clap_output_events* out) noexcept;

private:
    struct Edit {
        uint16_t type = 0;  // of CLAP's events
        size_t knob = 0;
        double value = 0.0;
    };

    // False: there is less room than that, and the host hears of it otherwise.
    bool add(const Edit& edit, size_t least_room);
    bool push(const clap_output_events& out, const Edit& edit) const noexcept;

    static constexpr size_t kRoom = 512;
    ClapPlugin& plugin_;
    bool has_begun_ = false;  // a gesture that the host hears of
    std::array<Edit, kRoom> ring_;
    std::atomic<size_t> added_{0};
    std::atomic<size_t> told_{0};
};

// [main] All of it.
class ClapGui {
public:
    explicit ClapGui(ClapPlugin& plugin) : plugin_(plugin) {}
    ~ClapGui() { destroy(); }
    ClapGui(const ClapGui&) = delete;
    ClapGui& operator=(const ClapGui&) = delete;

    bool is_possible(const char* api, bool is_floating) const;
    bool create();
    void destroy();
    bool set_scale(double scale);
    Size size() const noexcept { return size_; }
    bool set_size(Size size);
    bool set_parent(const clap_window& window);
    bool show(bool is_shown);
    void tick(uint32_t timer);

private:
    ClapPlugin& plugin_;
    Size size_;
    bool has_timer_ = false;
    uint32_t timer_ = 0;
    std::unique_ptr<Window> window_;
};

}  // namespace neutone_like::plugin
