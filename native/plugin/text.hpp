// Text for memory of a host's.
#pragma once

#include <cstddef>
#include <string>

namespace neutone_like::plugin {

// UTF-8, with a zero at its end; cut between two characters where there is no room.
void write_text(const std::string& text, char* out, size_t bytes) noexcept;

}  // namespace neutone_like::plugin
