#include "loaded.hpp"

#include <exception>
#include <utility>

#include "digest/sha256.hpp"
#include "file.hpp"
#include "knob.hpp"
#include "load.hpp"
#include "model/host_error.hpp"
#include "model/json.hpp"
#include "port_layout.hpp"

namespace neutone_like::plugin {

namespace {

constexpr const char* kCompiled = "model.nlc";

[[noreturn]] void refuse(const std::string& what) { throw HostError(NL_BAD_MODEL, what); }

std::unique_ptr<AlignedMemory> own_bytes(const Identity& identity) {
    const std::string again = " Make the plugin again: neutone-like plugin.";
    if (identity.model_bytes == 0) refuse("This plugin has no model." + again);
    const std::string path = identity.model_file.empty() ? own_path() : identity.model_file;
    std::string problem;
    const File file = open_file(path, problem);
    if (file == nullptr) {
        refuse("The plugin can't read its file '" + path + "', which holds the model: " + problem + "." + again);
    }
    const uint64_t size = bytes_of(file.get(), path);
    const uint64_t end = identity.model_offset + identity.model_bytes;
    if (size < end) {
        refuse("The file '" + path + "' has been cut off: it has " + std::to_string(size) + " bytes of " +
               std::to_string(end) + ", and the model is at its end." + again);
    }
    return read_bytes(file.get(), path, identity.model_offset, identity.model_bytes);
}

void require_channels(const ModelFacts& facts, const std::string& name, int most, const std::string& why) {
    if (facts.in_channels <= most && facts.out_channels <= most) return;
    refuse(name + " takes " + std::to_string(facts.in_channels) + " channels and gives " +
           std::to_string(facts.out_channels) + "; " + why);
}

void take_model(Loaded& loaded, std::unique_ptr<AlignedMemory> bytes, const std::string& name) {
    auto model = CompiledModel::own(std::move(bytes), name);
    Json metadata;
    std::string problem;
    const std::string text = model->metadata();
    if (read_json(text, metadata, problem) && metadata.find("audio_in_channels") != nullptr) {
        refuse(name +
               " is an offline model, which takes whole sounds; a plugin plays live models. Render with it: "
               "neutone-like render.");
    }
    loaded.facts = read_model_facts(text);
    if (!loaded.facts.is_ours) refuse(name + " doesn't say what it takes and gives. Export it again.");
    require_channels(loaded.facts, name, kMostChannels, "a plugin has room for 8 on a side.");
    loaded.model = std::move(model);
}

// Which files an artifact has.
struct Files {
    std::string compiled;
    std::string model;  // empty: nobody named it
};

Files files_of(std::string path) {
    if (is_folder(path)) {
        while (path.size() > 1 && (path.back() == '/' || path.back() == '\\')) path.pop_back();
        return {path + "/" + kCompiled, path + "/model.nm"};
    }
    if (!path.ends_with(".nm")) return {path, ""};
    const size_t folder = path.find_last_of("/\\");
    return {(folder == std::string::npos ? "" : path.substr(0, folder + 1)) + kCompiled, path};
}

// A model.nlc says to which model.nm it belongs.
void require_same(const CompiledModel& compiled, const Files& files) {
    std::string problem;
    const File file = files.model.empty() ? nullptr : open_file(files.model, problem);
    if (file == nullptr) return;  // an artifact may come without it
    Json metadata;
    const std::string text = compiled.metadata();
    const Json* ours = read_json(text, metadata, problem) ? metadata.find("compiled") : nullptr;
    const Json* digest = ours == nullptr ? nullptr : ours->find("model_sha256");
    if (digest == nullptr || digest->text != sha256_of(file.get(), files.model)) {
        refuse("'" + files.compiled + "' was compiled from another model than '" + files.model +
               "', which has changed since. Compile it again: neutone-like compile " + files.model);
    }
}

void read_into(Loaded& loaded, int worker) {
    if (loaded.path.empty()) {
        refuse(
            "No artifact is chosen. Copy the path of a folder with model.nlc and press Ctrl+V in the window, choose it in "
            "the host, or set NEUTONE_LIKE_PLAYER_ARTIFACT to it.");
    }
    const Files files = files_of(loaded.path);
    std::string problem;
    const File file = open_file(files.compiled, problem);
    if (file == nullptr) {
        refuse("There is no compiled model '" + files.compiled + "': " + problem + ". Make one: neutone-like compile " +
               (files.model.empty() ? loaded.path : files.model));
    }
    const uint64_t size = bytes_of(file.get(), files.compiled);
    if (size > compiled::kMostMemory) {
        refuse("'" + files.compiled + "' has " + std::to_string(size >> 20) + " MiB, the limit is " +
               std::to_string(compiled::kMostMemory >> 20) + ".");
    }
    auto bytes = read_bytes(file.get(), files.compiled, 0, size);
    Sha256 sum;
    sum.add(bytes->data(), bytes->bytes());
    loaded.digest = sum.digest();
    take_model(loaded, std::move(bytes), "'" + files.compiled + "'");
    require_channels(
        loaded.facts, "'" + files.compiled + "'", 2,
        "the player's ports are for mono and stereo. Make a plugin of its own of it: neutone-like plugin " +
            loaded.path);
    require_same(*loaded.model, files);
    if (loaded.facts.parameters.size() > kSlots) {
        refuse("The player has " + std::to_string(kSlots) + " knobs, and '" + loaded.path + "' has " +
               std::to_string(loaded.facts.parameters.size()) +
               " parameters. Make a plugin of its own of it: " + "neutone-like plugin " + loaded.path);
    }
    loaded.worker = worker < 0 ? is_heavy(loaded) : worker != 0;
}

}  // namespace

Loaded own_model(const Identity& identity) {
    Loaded loaded;
    loaded.worker = identity.worker != 0;
    try {
        take_model(loaded, own_bytes(identity), "The model in this plugin");
    } catch (const std::exception& error) {
        loaded.facts = {};
        loaded.problem = error.what();
    }
    return loaded;
}

Loaded read_artifact(const std::string& path, int worker) {
    Loaded loaded;
    loaded.path = path;
    try {
        read_into(loaded, worker);
    } catch (const std::exception& error) {
        loaded.model = nullptr;
        loaded.facts = {};
        loaded.problem = error.what();
    }
    return loaded;
}

}  // namespace neutone_like::plugin
