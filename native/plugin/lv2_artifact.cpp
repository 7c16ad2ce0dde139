#include "lv2_artifact.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

namespace neutone_like::plugin::lv2 {

namespace {

constexpr size_t kLongestPath = 4096;  // with its zero
constexpr const char* kMapPath = "http://lv2plug.in/ns/ext/state#mapPath";
constexpr const char* kFreePath = "http://lv2plug.in/ns/ext/state#freePath";

void free_path(Features features, char* path) {
    const auto* freeing = static_cast<const FreePath*>(feature(features, kFreePath));
    if (freeing != nullptr) {
        freeing->free(freeing->handle, path);
    } else {
        std::free(path);
    }
}

// As a session keeps it, and back.
std::string mapped(Features features, const std::string& path, bool to_abstract) {
    const auto* map = static_cast<const MapPath*>(feature(features, kMapPath));
    if (map == nullptr || path.empty()) return path;
    char* other = (to_abstract ? map->abstract : map->absolute)(map->handle, path.c_str());
    if (other == nullptr) return path;
    std::string text = other;
    free_path(features, other);
    return text;
}

std::string text_of(const void* value, size_t size) {
    const auto* text = static_cast<const char*>(value);
    return value == nullptr ? std::string() : std::string(text, strnlen(text, size));
}

template <typename Part>
unsigned char* put(unsigned char* at, const Part& part) noexcept {
    std::memcpy(at, &part, sizeof part);
    return at + sizeof part;
}

}  // namespace

void* feature(Features features, const char* uri) noexcept {
    for (Features each = features; each != nullptr && *each != nullptr; ++each) {
        if (std::strcmp((*each)->uri, uri) == 0) return (*each)->data;
    }
    return nullptr;
}

ArtifactPort::ArtifactPort(Plugin& plugin, Features features)
    : plugin_(plugin),
      map_(static_cast<const UridMap*>(feature(features, "http://lv2plug.in/ns/ext/urid#map"))),
      schedule_(static_cast<const Schedule*>(feature(features, "http://lv2plug.in/ns/ext/worker#schedule"))),
      path_(kLongestPath, '\0') {
    if (map_ == nullptr) return;
    const std::string atom = "http://lv2plug.in/ns/ext/atom#", patch = "http://lv2plug.in/ns/ext/patch#";
    const std::string own = plugin.of().identity.uri + "#";
    names_ = {name((atom + "Path").c_str()),     name((atom + "String").c_str()),    name((atom + "Object").c_str()),
              name((atom + "Sequence").c_str()), name((atom + "URID").c_str()),      name((patch + "Set").c_str()),
              name((patch + "Get").c_str()),     name((patch + "property").c_str()), name((patch + "value").c_str()),
              name((own + "artifact").c_str()),  name((own + "state").c_str()),      name((own + "positions").c_str())};
    const std::string path = plugin.artifact();
    work_response(path.c_str(), static_cast<uint32_t>(path.size()));
}

uint32_t ArtifactPort::name(const char* uri) const { return map_->map(map_->handle, uri); }

void ArtifactPort::take(const Sequence* control) noexcept {
    if (control == nullptr || map_ == nullptr || control->atom.type != names_.sequence) return;
    const auto* body = reinterpret_cast<const unsigned char*>(control) + sizeof(Atom);
    uint64_t at = sizeof(Sequence) - sizeof(Atom);
    while (at + sizeof(Event) <= control->atom.size) {
        Event event;
        std::memcpy(&event, body + at, sizeof event);
        at += sizeof event;
        if (at + event.atom.size > control->atom.size) return;
        if (event.atom.type == names_.object) take_object(body + at, event.atom.size);
        at += padded(event.atom.size);
    }
}

void ArtifactPort::take_object(const unsigned char* body, uint32_t size) noexcept {
    Object object;
    if (size < sizeof object) return;
    std::memcpy(&object, body, sizeof object);
    bool is_artifact = object.type == names_.get;  // without a property it asks for all
    const char* path = nullptr;
    uint32_t length = 0;
    for (uint64_t at = sizeof object; at + sizeof(Property) <= size;) {
        Property property;
        std::memcpy(&property, body + at, sizeof property);
        at += sizeof property;
        if (at + property.value.size > size) return;
        if (property.key == names_.property && property.value.type == names_.urid && property.value.size == 4) {
            uint32_t which = 0;
            std::memcpy(&which, body + at, sizeof which);
            is_artifact = which == names_.artifact;
        }
        if (property.key == names_.value &&
            (property.value.type == names_.path || property.value.type == names_.string)) {
            path = reinterpret_cast<const char*>(body + at);
            length = property.value.size;
        }
        at += padded(property.value.size);
    }
    if (!is_artifact) return;
    if (object.type == names_.get) is_to_tell_ = true;
    if (object.type == names_.set && path != nullptr && schedule_ != nullptr && length <= kLongestPath) {
        schedule_->schedule(schedule_->handle, length, path);
    }
}

void ArtifactPort::tell(Sequence* notify) noexcept {
    if (notify == nullptr || map_ == nullptr) return;
    const uint32_t room = notify->atom.size;
    const auto text = static_cast<uint32_t>(std::strlen(path_.data()) + 1);
    const uint32_t object = sizeof(Object) + sizeof(Property) + padded(sizeof(uint32_t)) + sizeof(Property) + text;
    notify->atom = {sizeof(Sequence) - sizeof(Atom), names_.sequence};
    notify->unit = notify->pad = 0;
    if (!is_to_tell_ || room < sizeof(Sequence) + sizeof(Event) + padded(object)) return;
    is_to_tell_ = false;
    auto* at = reinterpret_cast<unsigned char*>(notify) + sizeof(Sequence);
    at = put(at, Event{0, {object, names_.object}});
    at = put(at, Object{0, names_.set});
    at = put(at, Property{names_.property, 0, {sizeof(uint32_t), names_.urid}});
    at = put(at, names_.artifact);
    at = put(at, uint32_t{0});
    at = put(at, Property{names_.value, 0, {text, names_.path}});
    std::memset(at, 0, padded(text));
    std::memcpy(at, path_.data(), text);
    notify->atom.size += sizeof(Event) + padded(object);
}

void ArtifactPort::work(Respond respond, void* handle, const char* path, uint32_t size) {
    const std::string text = text_of(path, size);
    plugin_.open(text);
    respond(handle, static_cast<uint32_t>(text.size()), text.c_str());
}

void ArtifactPort::work_response(const char* path, uint32_t size) noexcept {
    const size_t length = std::min<size_t>(size, path_.size() - 1);
    std::memcpy(path_.data(), path, length);
    path_[length] = '\0';
    is_to_tell_ = true;
}

int ArtifactPort::save(Store store, void* handle, Features features, const std::vector<float>& positions) const {
    if (map_ == nullptr) return kStateUnknown;
    const std::string state = plugin_.state();
    const std::string path = mapped(features, plugin_.artifact(), true);
    store(handle, names_.state, state.c_str(), state.size() + 1, names_.string, kPodAndPortable);
    if (!path.empty()) store(handle, names_.artifact, path.c_str(), path.size() + 1, names_.path, kPodAndPortable);
    std::string places;
    for (const float place : positions) {
        char digits[32];
        places.append(digits, std::to_chars(digits, digits + sizeof digits, place).ptr) += ' ';
    }
    store(handle, names_.positions, places.c_str(), places.size() + 1, names_.string, kPodAndPortable);
    return kStateSuccess;
}

int ArtifactPort::restore(Retrieve retrieve, void* handle, Features features, std::vector<float>& positions) {
    if (map_ == nullptr) return kStateUnknown;
    size_t size = 0;
    uint32_t type = 0, flags = 0;
    const void* value = retrieve(handle, names_.artifact, &size, &type, &flags);
    const std::string path = mapped(features, text_of(value, size), false);
    value = retrieve(handle, names_.state, &size, &type, &flags);
    const std::string state = text_of(value, size);
    if (!(value != nullptr && plugin_.load(state, path)) && !path.empty()) plugin_.open(path);
    value = retrieve(handle, names_.positions, &size, &type, &flags);
    const std::string places = text_of(value, size);
    const char *at = places.data(), *end = at + places.size();
    for (float& place : positions) {
        const auto read = std::from_chars(at, end, place);
        if (read.ec != std::errc()) break;
        at = std::min(read.ptr + 1, end);
    }
    const std::string now = plugin_.artifact();
    work_response(now.c_str(), static_cast<uint32_t>(now.size()));
    return kStateSuccess;
}

}  // namespace neutone_like::plugin::lv2
