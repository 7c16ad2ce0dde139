#include "engine/compiled_model.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

namespace neutone_like {

namespace {

constexpr std::align_val_t kAligned{compiled::kAlignment};

const char* advice(compiled::Fault fault) {
    switch (fault) {
        case compiled::Fault::no_model: return "Expected a model.nlc.";
        case compiled::Fault::too_new: return "Use a newer version of neutone_like.";
        case compiled::Fault::damaged: return "Copy it again, or compile the model again.";
        default: return "Compile the model again.";
    }
}

const compiled::KernelTable& kernels_of(const std::string& name) {
    if (name.empty()) return compiled::best_kernels();
    const compiled::KernelTable* kernels = compiled::kernels_named(name.c_str());
    if (kernels != nullptr) return *kernels;
    throw EngineError("This processor has no kernels '" + name + "'; its best are '" + compiled::best_kernels().name +
                      "'.");
}

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

AlignedMemory::AlignedMemory(uint64_t bytes)
    : data_(static_cast<unsigned char*>(::operator new(static_cast<size_t>(bytes), kAligned))), bytes_(bytes) {}

AlignedMemory::~AlignedMemory() { ::operator delete(data_, kAligned); }

CompiledModel::CompiledModel(std::unique_ptr<AlignedMemory> file, const std::string& name, const std::string& kernels)
    : file_(std::move(file)) {
    compiled::Problem problem;
    if (compiled::read_image(file_->data(), file_->bytes(), kernels_of(kernels), image_, problem)) return;
    throw CompiledModelError(name + " is no compiled model that can be played: " + problem.text + ". " +
                             advice(problem.fault));
}

std::shared_ptr<const CompiledModel> CompiledModel::read(const std::string& path, const std::string& kernels) {
    return std::shared_ptr<const CompiledModel>(new CompiledModel(read_file(path), path, kernels));
}

std::shared_ptr<const CompiledModel> CompiledModel::copy(const void* bytes, uint64_t count, const std::string& name,
                                                         const std::string& kernels) {
    auto memory = std::make_unique<AlignedMemory>(count);
    if (count > 0) std::memcpy(memory->data(), bytes, static_cast<size_t>(count));
    return std::shared_ptr<const CompiledModel>(new CompiledModel(std::move(memory), name, kernels));
}

CompiledInstance::CompiledInstance(std::shared_ptr<const CompiledModel> model)
    : model_(std::move(model)),
      memory_(compiled::instance_bytes(model_->image())),
      instance_(compiled::start(model_->image(), memory_.data())) {}

CompiledInstance::CompiledInstance(const CompiledInstance& other) : CompiledInstance(other.model_) {
    compiled::copy_state(*instance_, *other.instance_);
}

}  // namespace neutone_like
