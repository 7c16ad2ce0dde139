// A compiled model in memory of our own: a file that was changed meanwhile can't change what was proved.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/player.hpp"
#include "kernels/reader.hpp"
#include "model/host_error.hpp"

namespace neutone_like {

// A file that is no compiled model, or none that can be played here.
class CompiledModelError : public HostError {
public:
    explicit CompiledModelError(const std::string& message) : HostError(NL_BAD_MODEL, message) {}
};

// Bytes at a multiple of 64.
class AlignedMemory {
public:
    explicit AlignedMemory(uint64_t bytes);
    ~AlignedMemory();
    AlignedMemory(const AlignedMemory&) = delete;
    AlignedMemory& operator=(const AlignedMemory&) = delete;

    unsigned char* data() const noexcept { return data_; }
    uint64_t bytes() const noexcept { return bytes_; }

private:
    unsigned char* data_;
    uint64_t bytes_;
};

class CompiledModel {
public:
    // `name` is for messages, `kernels` the name of a table or empty for the best one. Throw CompiledModelError for the
    // bytes, EngineError for the kernels.
    static std::shared_ptr<const CompiledModel> own(std::unique_ptr<AlignedMemory> bytes, const std::string& name,
                                                    const std::string& kernels = "");
    static std::shared_ptr<const CompiledModel> copy(const void* bytes, uint64_t count, const std::string& name,
                                                     const std::string& kernels = "");
    // Bytes at a multiple of kAlignment that stay as they are: a program's own. Folded tables are unfolded into memory of
    // the model's, with the rest of the file.
    static std::shared_ptr<const CompiledModel> in_place(const void* bytes, uint64_t count, const std::string& name);

    // The plan for a sample rate in Hz; the only one, where there is one for all rates. Null: there is none.
    const compiled::Image* image_at(int rate) const noexcept;
    const compiled::Image& first_image() const noexcept { return images_.front(); }
    uint64_t bytes() const noexcept { return bytes_; }
    std::string metadata() const { return {first_image().metadata, static_cast<size_t>(first_image().metadata_bytes)}; }

private:
    CompiledModel(const void* bytes, uint64_t count, const std::string& name, const std::string& kernels);

    uint64_t bytes_;
    std::unique_ptr<AlignedMemory> owned_;     // null: somebody else's
    std::unique_ptr<AlignedMemory> unfolded_;  // the file, where its tables are folded
    std::unique_ptr<AlignedMemory> unpacked_;  // constants, where the file has them packed
    std::vector<compiled::Image> images_;      // of each plan; at least one
};

// One that plays, with state of its own. One thread at a time.
class CompiledInstance {
public:
    explicit CompiledInstance(std::shared_ptr<const CompiledModel> model)
        : CompiledInstance(model, model->first_image()) {}
    CompiledInstance(std::shared_ptr<const CompiledModel> model, const compiled::Image& image);  // one of its own
    CompiledInstance(const CompiledInstance& other);  // goes on from where the other one is
    CompiledInstance& operator=(const CompiledInstance&) = delete;

    const std::shared_ptr<const CompiledModel>& model() const noexcept { return model_; }
    const compiled::Image& image() const noexcept { return *image_; }
    const compiled::Facts& facts() const noexcept { return *image_->facts; }
    bool process(const compiled::Passage& passage) noexcept { return compiled::process(*instance_, passage); }
    void reset() noexcept { compiled::reset(*instance_); }
    uint64_t bytes() const noexcept { return memory_.bytes(); }

private:
    std::shared_ptr<const CompiledModel> model_;
    const compiled::Image* image_;
    AlignedMemory memory_;
    compiled::Instance* instance_;
};

}  // namespace neutone_like
