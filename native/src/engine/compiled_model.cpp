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
    const compiled::KernelTable& table = kernels_of(kernels);
    compiled::Problem problem;
    do {
        compiled::Image image{};
        const auto plan = static_cast<uint32_t>(images_.size());
        if (!compiled::read_image(file_->data(), file_->bytes(), table, image, problem, plan)) {
            throw CompiledModelError(name + " is no compiled model that can be played: " + problem.text + ". " +
                                     advice(problem.fault));
        }
        images_.push_back(image);
    } while (images_.size() < images_.front().plans);
}

const compiled::Image* CompiledModel::image_at(int rate) const noexcept {
    const int32_t* rates = first_image().rates;
    if (rates == nullptr) return &first_image();
    for (const compiled::Image& image : images_) {
        if (rates[&image - images_.data()] == rate) return &image;
    }
    return nullptr;
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

CompiledInstance::CompiledInstance(std::shared_ptr<const CompiledModel> model, const compiled::Image& image)
    : model_(std::move(model)),
      image_(&image),
      memory_(compiled::instance_bytes(image)),
      instance_(compiled::start(image, memory_.data())) {}

CompiledInstance::CompiledInstance(const CompiledInstance& other) : CompiledInstance(other.model_, *other.image_) {
    compiled::copy_state(*instance_, *other.instance_);
}

}  // namespace neutone_like
