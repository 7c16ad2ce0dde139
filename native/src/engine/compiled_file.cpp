#include "engine/compiled_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace neutone_like {

namespace {

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw CompiledModelError(path + " can't be read: " + why + ".");
}

std::unique_ptr<AlignedMemory> read_file(const std::string& path) {
    std::error_code failed;
    const uintmax_t bytes = std::filesystem::file_size(path, failed);  // fails for what is no file
    if (failed) refuse(path, failed.message());
    if (bytes > compiled::kMostMemory) {
        throw CompiledModelError(path + " is no compiled model that can be played: it has " +
                                 std::to_string(bytes >> 20) + " MiB, the limit is " +
                                 std::to_string(compiled::kMostMemory >> 20) + ".");
    }
    auto memory = std::make_unique<AlignedMemory>(bytes);
    const File file(std::fopen(path.c_str(), "rb"));
    if (file == nullptr) refuse(path, std::strerror(errno));
    if (std::fread(memory->data(), 1, memory->bytes(), file.get()) != memory->bytes()) refuse(path, "it ends early");
    return memory;
}

}  // namespace

std::shared_ptr<const CompiledModel> read_compiled_model(const std::string& path, const std::string& kernels) {
    return CompiledModel::own(read_file(path), path, kernels);
}

}  // namespace neutone_like
