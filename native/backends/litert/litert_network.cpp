#include "litert_network.hpp"

#include <array>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "exchange_error.hpp"
#include "litert_call.hpp"
#include "model_tensor.hpp"

namespace neutone_like::litert {

using exchange::ElementType;
using exchange::ExchangeError;
using exchange::ModelTensor;
using exchange::Sidecar;

namespace {

// LiteRtElementType.
constexpr std::array<std::pair<ElementType, int>, 8> kTypes{{
    {ElementType::float32, 1},
    {ElementType::int32, 2},
    {ElementType::uint8, 3},
    {ElementType::int64, 4},
    {ElementType::boolean, 6},
    {ElementType::int16, 7},
    {ElementType::int8, 9},
    {ElementType::float64, 11},
}};

ElementType type_of(int type) noexcept {
    for (const auto& [ours, theirs] : kTypes) {
        if (theirs == type) return ours;
    }
    return ElementType::other;
}

using Count = Status (*)(Signature*, size_t*);
using Name = Status (*)(Signature*, size_t, const char**);
using Find = Status (*)(Signature*, size_t, Tensor**);

class LitertNetwork : public exchange::Network {
public:
    LitertNetwork(const Library& library, Sidecar sidecar) : library_(library), sidecar_(std::move(sidecar)) {
        if (!sidecar_.block_samples) {
            throw ExchangeError(sidecar_.path + " is for blocks of one length, and its sidecar doesn't say which: " +
                                "\"block_samples\" is null.");
        }
        data_ = exchange::read_model_file(sidecar_);
        Model* model = nullptr;
        Library::check(lib().create_model(library_.environment(), data_.data(), data_.size(), &model),
                       "open " + sidecar_.path);
        model_ = {model, lib().destroy_model};
        inputs_ = tensors(lib().input_count, lib().input_name, lib().input_tensor);
        outputs_ = tensors(lib().output_count, lib().output_name, lib().output_tensor);
        exchange::check_tensors(sidecar_, facts(inputs_), facts(outputs_));
    }

    const Sidecar& sidecar() const override { return sidecar_; }

    std::unique_ptr<exchange::Call> connect(const exchange::Buffers& buffers) override {
        const std::lock_guard lock(mutex_);  // sessions are opened on threads of their own
        return make_litert_call(library_, model_.get(), {inputs_, outputs_}, sidecar_, buffers);
    }

private:
    const Interface& lib() const { return library_.functions(); }

    Signature* signature() const {
        size_t count = 0;
        Library::check(lib().signature_count(model_.get(), &count), "count signatures");
        if (count != 1) {
            throw ExchangeError(sidecar_.path +
                                " must have one signature, which names its inputs and outputs; it has " +
                                std::to_string(count) + ".");
        }
        Signature* found = nullptr;
        Library::check(lib().signature(model_.get(), 0, &found), "find the signature");
        return found;
    }

    std::vector<NamedTensor> tensors(Count count_of, Name name_of, Find find) const {
        Signature* const of = signature();
        size_t count = 0;
        Library::check(count_of(of, &count), "count what the file takes");
        std::vector<NamedTensor> found(count);
        for (size_t index = 0; index < count; ++index) {
            const char* name = nullptr;
            Tensor* tensor = nullptr;
            Library::check(name_of(of, index, &name), "name what the file takes");
            Library::check(find(of, index, &tensor), "find what the file takes");
            found[index].name = name;
            Library::check(lib().tensor_type(tensor, &found[index].type), std::string("say the shape of ") + name);
        }
        return found;
    }

    static std::vector<ModelTensor> facts(const std::vector<NamedTensor>& tensors) {
        std::vector<ModelTensor> known;
        for (const auto& [name, type] : tensors) {
            const size_t rank = type.rank & kRankBits;
            known.push_back({name, type_of(type.element_type), {type.dimensions, type.dimensions + rank}});
        }
        return known;
    }

    const Library& library_;
    Sidecar sidecar_;
    std::vector<uint8_t> data_;  // the model's weights stay in it
    std::unique_ptr<Model, void (*)(Model*)> model_{nullptr, nullptr};
    std::vector<NamedTensor> inputs_, outputs_;
    std::mutex mutex_;
};

}  // namespace

std::shared_ptr<exchange::Network> LitertBackend::open(Sidecar sidecar, const exchange::Options& options) {
    return std::make_shared<LitertNetwork>(Library::load(options), std::move(sidecar));
}

}  // namespace neutone_like::litert
