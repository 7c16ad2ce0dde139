// The fields of a JSON object, each of the kind that is asked for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/json.hpp"

namespace neutone_like::exchange {

// All throw ExchangeError with the file, the field, what it holds and what is expected.
class Fields {
public:
    // `where`: the file, and the place in it. Both must outlive this.
    Fields(const Json& object, std::string where);

    const std::string& text(const char* key) const;  // not empty
    int whole(const char* key, int lowest, int highest) const;
    std::optional<int> whole_or_null(const char* key, int lowest, int highest) const;
    std::optional<std::string> text_or_null(const char* key) const;
    const std::vector<Json>& list(const char* key) const;
    std::string where(const char* key) const;

    [[noreturn]] void refuse(const char* key, const std::string& expected) const;

private:
    const Json& at(const char* key) const;

    const Json& object_;
    std::string where_;
};

}  // namespace neutone_like::exchange
