// JSON (RFC 8259) as metadata holds it: read whole, strictly, and into values that know how they were written.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neutone_like {

struct Json {
    enum class Kind { null, truth, number, text, list, object };

    Kind kind = Kind::null;
    bool truth = false;
    double number = 0.0;
    std::string text;  // UTF-8
    std::vector<Json> items;
    std::vector<std::pair<std::string, Json>> members;  // as they stand; of a key that comes twice the last one counts
    std::string_view written;                           // its part of the text that was read, which must stay

    // Null where there is none.
    const Json* find(std::string_view key) const noexcept;
};

// False: `problem` says what is wrong, and at which byte. Numbers that a double doesn't hold, texts that are not UTF-8
// and more than 64 levels are wrong too.
bool read_json(std::string_view text, Json& value, std::string& problem);

}  // namespace neutone_like
