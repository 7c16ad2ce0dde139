#include "compiled/compiled_model.hpp"

#include <cstring>
#include <new>
#include <utility>

#include "signal/raise.hpp"

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
    raise(EngineError("This processor has no kernels '" + name + "'; its best are '" + compiled::best_kernels().name +
                      "'."));
}

}  // namespace

AlignedMemory::AlignedMemory(uint64_t bytes)
    : data_(static_cast<unsigned char*>(::operator new(static_cast<size_t>(bytes), kAligned))), bytes_(bytes) {}

AlignedMemory::~AlignedMemory() { ::operator delete(data_, kAligned); }

CompiledModel::CompiledModel(const void* bytes, uint64_t count, const std::string& name, const std::string& kernels)
    : bytes_(count) {
    const compiled::KernelTable& table = kernels_of(kernels);
    compiled::Problem problem;
    const auto require = [&](bool good) {
        if (good) return;
        raise(CompiledModelError(name + " is no compiled model that can be played: " + problem.text + ". " +
                                 advice(problem.fault)));
    };
    uint64_t unfolded = 0;
    require(compiled::unfolded_bytes(bytes, count, unfolded, problem));
    if (unfolded > 0) {
        unfolded_ = std::make_unique<AlignedMemory>(unfolded);
        compiled::unfold(bytes, unfolded_->data());
        bytes = unfolded_->data();
        count = unfolded;
    }
    compiled::Unpacked unpacked{nullptr, 0};
    require(compiled::unpacked_bytes(bytes, count, unpacked.count, problem));
    if (unpacked.count > 0) {
        unpacked_ = std::make_unique<AlignedMemory>(unpacked.count);
        compiled::unpack(bytes, unpacked_->data());
        unpacked.bytes = unpacked_->data();
    }
    do {
        compiled::Image image{};
        const auto plan = static_cast<uint32_t>(images_.size());
        require(compiled::read_image(bytes, count, table, image, problem, plan, unpacked));
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

std::shared_ptr<const CompiledModel> CompiledModel::own(std::unique_ptr<AlignedMemory> bytes, const std::string& name,
                                                        const std::string& kernels) {
    const std::shared_ptr<CompiledModel> model(new CompiledModel(bytes->data(), bytes->bytes(), name, kernels));
    if (model->unfolded_ == nullptr) model->owned_ = std::move(bytes);
    return model;
}

std::shared_ptr<const CompiledModel> CompiledModel::copy(const void* bytes, uint64_t count, const std::string& name,
                                                         const std::string& kernels) {
    auto memory = std::make_unique<AlignedMemory>(count);
    if (count > 0) std::memcpy(memory->data(), bytes, static_cast<size_t>(count));
    return own(std::move(memory), name, kernels);
}

std::shared_ptr<const CompiledModel> CompiledModel::in_place(const void* bytes, uint64_t count,
                                                             const std::string& name) {
    return std::shared_ptr<const CompiledModel>(new CompiledModel(bytes, count, name, ""));
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
