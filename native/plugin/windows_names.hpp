// Windows has UTF-16 where the rest of us has UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace neutone_like::plugin {

std::wstring wide(std::string_view utf8);
std::string narrow(std::wstring_view utf16);

}  // namespace neutone_like::plugin
