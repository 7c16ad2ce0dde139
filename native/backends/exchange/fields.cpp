#include "fields.hpp"

#include <cmath>
#include <utility>

#include "exchange_error.hpp"

namespace neutone_like::exchange {

namespace {

std::string shortened(std::string_view written) {
    constexpr size_t kMost = 60;
    return written.size() <= kMost ? std::string(written) : std::string(written.substr(0, kMost)) + "...";
}

}  // namespace

Fields::Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (object.kind != Json::Kind::object) {
        throw ExchangeError(where_ + " must be an object, got " + shortened(object.written) + ".");
    }
}

const Json& Fields::at(const char* key) const {
    const Json* found = object_.find(key);
    if (found == nullptr) throw ExchangeError(where_ + " has no field \"" + key + "\".");
    return *found;
}

std::string Fields::where(const char* key) const { return where_ + ", \"" + key + "\""; }

void Fields::refuse(const char* key, const std::string& expected) const {
    throw ExchangeError(where(key) + " must be " + expected + ", got " + shortened(at(key).written) + ".");
}

const std::string& Fields::text(const char* key) const {
    const Json& value = at(key);
    if (value.kind != Json::Kind::text || value.text.empty()) refuse(key, "a text");
    return value.text;
}

int Fields::whole(const char* key, int lowest, int highest) const {
    const Json& value = at(key);
    if (value.kind != Json::Kind::number || value.number != std::floor(value.number) || value.number < lowest ||
        value.number > highest) {
        refuse(key, "a whole number in " + std::to_string(lowest) + ".." + std::to_string(highest));
    }
    return static_cast<int>(value.number);
}

std::optional<int> Fields::whole_or_null(const char* key, int lowest, int highest) const {
    if (at(key).kind == Json::Kind::null) return std::nullopt;
    return whole(key, lowest, highest);
}

std::optional<std::string> Fields::text_or_null(const char* key) const {
    const Json& value = at(key);
    if (value.kind == Json::Kind::null) return std::nullopt;
    if (value.kind != Json::Kind::text) refuse(key, "a text or null");
    return value.text;
}

const std::vector<Json>& Fields::list(const char* key) const {
    const Json& value = at(key);
    if (value.kind != Json::Kind::list) refuse(key, "a list");
    return value.items;
}

}  // namespace neutone_like::exchange
