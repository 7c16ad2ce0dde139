// What the user has copied, as the path of a file: X11's clipboard, whose owner answers when it comes to it.
#pragma once

#include <string>
#include <string_view>

#include "desktop.hpp"

namespace neutone_like::plugin {

// Asks the owner for it; the answer is an event of the window's.
void ask_clipboard(const Desktop& desktop, Display* display, XId window, unsigned long time);

// The text that came with such an event; empty: none did.
std::string clipboard_text(const Desktop& desktop, Display* display, const XSelectionEvent& event);

// Of a text that was copied: its first line, without quotes, or what a file:// address stands for. Empty: it is no absolute path.
std::string path_in(std::string_view text);

}  // namespace neutone_like::plugin
