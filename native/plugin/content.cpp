#include "content.hpp"

#include <cstdio>
#include <exception>
#include <utility>

#include "model/host_error.hpp"

namespace neutone_like::plugin {

namespace {

struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

[[noreturn]] void refuse(const std::string& what) {
    throw HostError(NL_BAD_MODEL, what + " Make the plugin again: neutone-like plugin.");
}

File open(const std::string& path) {
    File file(path.empty() ? nullptr : std::fopen(path.c_str(), "rb"));
    if (file == nullptr) refuse("The plugin can't read its own file '" + path + "', which holds the model.");
    return file;
}

std::unique_ptr<AlignedMemory> model_bytes(const Identity& identity) {
    if (identity.model_bytes == 0) refuse("This plugin has no model.");
    const std::string path = own_path();
    const File file = open(path);
    std::fseek(file.get(), 0, SEEK_END);
    const auto size = static_cast<uint64_t>(std::ftell(file.get()));
    const uint64_t end = identity.model_offset + identity.model_bytes;
    if (size < end) {
        refuse("The file '" + path + "' has been cut off: it has " + std::to_string(size) + " bytes of " +
               std::to_string(end) + ", and the model is at its end.");
    }
    auto bytes = std::make_unique<AlignedMemory>(identity.model_bytes);
    std::fseek(file.get(), static_cast<long>(identity.model_offset), SEEK_SET);
    if (std::fread(bytes->data(), 1, identity.model_bytes, file.get()) != identity.model_bytes) {
        refuse("The model can't be read from '" + path + "'.");
    }
    return bytes;
}

void take_model(Content& content) {
    auto model = CompiledModel::own(model_bytes(content.identity), "The model in this plugin");
    content.facts = read_model_facts(model->metadata());
    if (!content.facts.is_ours || content.facts.in_channels > 2 || content.facts.out_channels > 2) {
        refuse("The model in this plugin is not one for mono or stereo.");
    }
    content.knobs = knobs_of(content.facts.parameters);
    content.model = std::move(model);
}

Content read() {
    Content content;
    content.identity = own_identity();
    try {
        take_model(content);
    } catch (const std::exception& error) {
        content.problem = error.what();
        content.facts = {};
        content.knobs = knobs_of({});
        content.identity.description = "Sound passes through unchanged: " + content.problem;
        std::fprintf(stderr, "%s: sound passes through unchanged. %s\n", content.identity.name.c_str(), error.what());
    }
    return content;
}

}  // namespace

size_t Content::find(uint32_t id) const noexcept {
    size_t index = 0;
    while (index < knobs.size() && knobs[index].id != id) ++index;
    return index;
}

const Content& content() {
    static const Content once = read();
    return once;
}

}  // namespace neutone_like::plugin
