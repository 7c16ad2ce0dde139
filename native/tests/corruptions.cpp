// Compiled models with damage at random, most of it behind a checksum that was made right again: each is refused with a
// reason, or plays without touching what isn't its own. Run it under AddressSanitizer with `make sanitize`.
//
//   corruptions [count=2000] [seed=1] [unproved] [MODEL.nlc]...
//
// Without a model it takes plans of its own. With `unproved` what the reader refuses is played all the same, which
// AddressSanitizer must find out.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/kernel_ids.hpp"
#include "kernels/operations.hpp"
#include "kernels/player.hpp"
#include "kernels/reader.hpp"
#include "plans_to_damage.hpp"

namespace {

using namespace neutone_like::compiled;
using plan::Builder;
using plan::Bytes;
using plan::own_plan;
using plan::packed_plan;
using plan::recurrent_plan;

constexpr uint64_t kMostWork = 1 << 22;  // numbers that the steps of a block may touch: a sound of hours proves no more
constexpr uint64_t kMostToTake = 256u << 20;  // bytes of an instance

struct Damage {
    std::mt19937& random;
    const Bytes& good;  // of the same layout
    Bytes& bytes;

    size_t below(size_t limit) { return limit == 0 ? 0 : random() % limit; }

    // Of some plan; an empty one where there is none.
    Section section(uint32_t kind) {
        const auto* first = reinterpret_cast<const Section*>(good.data() + sizeof(Header));
        const auto* end = first + reinterpret_cast<const Header*>(good.data())->sections;
        std::vector<Section> found;
        std::copy_if(first, end, std::back_inserter(found), [=](const Section& each) { return each.kind == kind; });
        return found.empty() ? Section{} : found[below(found.size())];
    }

    void flip_bits() {
        for (size_t left = 1 + below(4); left > 0; --left) bytes.data()[below(bytes.size())] ^= 1u << below(8);
    }

    // Numbers in which something is most likely to go wrong.
    int64_t extreme(int64_t now) {
        const auto n = static_cast<uint64_t>(now);  // which wraps around
        const uint64_t some[] = {0,
                                 1,
                                 ~uint64_t{0},
                                 2,
                                 n + 1,
                                 n - 1,
                                 0 - n,
                                 2 * n,
                                 n / 2,
                                 n + 16,
                                 n - 16,
                                 INT32_MAX,
                                 static_cast<uint64_t>(int64_t{INT32_MIN}),
                                 65536,
                                 below(1 << 20),
                                 INT64_MAX,
                                 uint64_t{1} << 63,
                                 uint64_t{1} << below(63)};
        return static_cast<int64_t>(some[below(std::size(some))]);
    }

    void set_number() {
        const uint32_t kinds[] = {kFacts, kBuffers, kViews, kViews, kViews, kSteps, kIntegers, kRates, kPackings};
        const Section where = section(kinds[below(std::size(kinds))]);
        if (where.bytes < 8) return;
        unsigned char* at = bytes.data() + where.offset + below(where.bytes / 4 - 1) * 4;
        const bool wide = where.kind != kViews && where.kind != kSteps && below(4) == 0;
        int64_t now = 0;
        std::memcpy(&now, at, wide ? 8 : 4);
        if (!wide) now = static_cast<int32_t>(now);
        now = extreme(now);
        std::memcpy(at, &now, wide ? 8 : 4);
    }

    void copy_item() {
        const std::pair<uint32_t, size_t> kinds[] = {
            {kBuffers, sizeof(Buffer)}, {kViews, sizeof(View)}, {kSteps, sizeof(Step)}, {kIntegers, 4}};
        const auto& [kind, size] = kinds[below(std::size(kinds))];
        const Section where = section(kind);
        if (where.bytes < size) return;
        unsigned char* items = bytes.data() + where.offset;
        std::memmove(items + below(where.bytes / size) * size, items + below(where.bytes / size) * size, size);
    }

    void spread(int32_t& number) { number = static_cast<int32_t>(static_cast<uint32_t>(number) + below(65) - 32); }

    // A number of a view that depends on the block in another way.
    void bend_extent() {
        const Section where = section(kViews);
        if (where.bytes < sizeof(View)) return;
        auto* view = reinterpret_cast<View*>(bytes.data() + where.offset) + below(where.bytes / sizeof(View));
        Extent& extent = below(3) == 0 ? view->offset : view->dims[below(kMaximumRank)];
        if (below(2) == 0) spread(extent.base);
        if (below(2) == 0) extent.numerator = static_cast<int32_t>(below(5)) - 2;
        if (below(4) == 0) extent.denominator = 1 + static_cast<int32_t>(below(4));
        if (below(4) == 0) spread(view->strides[below(kMaximumRank)]);
        if (below(8) == 0) view->flags ^= kPadded;
    }

    void spoil_weights() {
        const float some[] = {0.0f, -0.0f, 1e38f, -1e38f, 1e-45f, NAN, INFINITY, -INFINITY};
        Section where = section(kConstants);
        if (where.bytes < 4) where = section(kPacked);
        if (where.bytes < 4) return;
        for (size_t left = 1 + below(8); left > 0; --left) {
            std::memcpy(bytes.data() + where.offset + below(where.bytes / 4) * 4, &some[below(std::size(some))], 4);
        }
    }

    void move_section() {
        const uint32_t sections = reinterpret_cast<const Header*>(good.data())->sections;
        auto& moved = reinterpret_cast<Section*>(bytes.data() + sizeof(Header))[below(sections)];
        if (below(2) == 0) moved.offset = static_cast<uint64_t>(extreme(static_cast<int64_t>(moved.offset))) & ~63ull;
        if (below(2) == 0) moved.bytes = static_cast<uint64_t>(extreme(static_cast<int64_t>(moved.bytes)));
        if (below(4) == 0) moved.kind = static_cast<uint32_t>(below(13));
        if (below(4) == 0) moved.plan = static_cast<uint32_t>(below(4));
    }

    void once() {
        switch (below(12)) {
            case 0: return flip_bits();
            case 1: return copy_item();
            case 2: return spoil_weights();
            case 3: return move_section();
            case 4:
            case 5:
            case 6: return bend_extent();
            default: return set_number();
        }
    }
};

struct Counts {
    int refused[6] = {};
    int played = 0;
    int too_much = 0;
};

uint64_t elements_of(const View& view, const Lengths& lengths, int64_t at) {
    uint64_t elements = 1;
    for (uint32_t dim = 0; dim < view.rank; ++dim) {
        Line line{};
        line_of(view.dims[dim], lengths, line);
        elements *= static_cast<uint64_t>(line.at(at));
    }
    return elements;
}

// Roughly: products cost more than they touch.
bool is_quick(const Image& image) {
    uint64_t work = 0;
    for (uint32_t index = 0; index < image.step_count; ++index) {
        const Step& step = image.steps[index];
        uint64_t most = 0;
        for (uint32_t view = 0; view < step.views; ++view) {
            const View& touched = image.views[step.first_view + view];
            most = std::max({most, elements_of(touched, image.lengths, 0),
                             elements_of(touched, image.lengths, image.lengths.count - 1)});
        }
        work += most;
        if (most > kMostWork || work > 16 * kMostWork) return false;
    }
    return true;
}

// As many numbers as are asked for, one memory each, so that what is read beyond them is found.
std::vector<std::vector<float>> rows(int64_t count, int64_t samples, std::mt19937& random) {
    std::vector<std::vector<float>> made(static_cast<size_t>(count));
    for (auto& row : made) {
        row.resize(static_cast<size_t>(samples));
        for (float& sample : row) sample = static_cast<float>(random() % 2001) / 1000.0f - 1.0f;
    }
    return made;
}

template <typename Value>
std::vector<Value> pointers(std::vector<std::vector<float>>& from) {
    std::vector<Value> found;
    for (auto& row : from) found.push_back(row.data());
    return found;
}

void play(Instance& instance, const Image& image, int64_t samples, std::mt19937& random) {
    const Facts& facts = *image.facts;
    auto in = rows(facts.in_channels, samples + facts.look_behind, random);
    auto out = rows(facts.out_channels, samples, random);
    std::vector<std::vector<float>> values;
    std::vector<int32_t> lengths;
    for (int32_t index = 0; index < facts.parameters; ++index) {
        lengths.push_back(random() % 2 == 0 ? 1 : static_cast<int32_t>(samples));
        values.push_back(rows(1, lengths.back(), random)[0]);
    }
    const auto in_rows = pointers<const float*>(in);
    const auto out_rows = pointers<float*>(out);
    const auto value_rows = pointers<const float*>(values);
    process(instance, {samples, in_rows.data(), out_rows.data(), value_rows.data(), lengths.data()});
}

void play_some(const Image& image, std::mt19937& random) {
    const auto memory = std::make_unique<Bytes>(instance_bytes(image));
    Instance* instance = start(image, memory->data());
    const Lengths& lengths = image.lengths;
    const int64_t longest = lengths.longest();
    for (const int64_t samples :
         {lengths.shortest, longest, longest + lengths.shortest, int64_t{17}, 3 * longest,
          lengths.new_samples(static_cast<int64_t>(random() % static_cast<uint64_t>(lengths.count)))}) {
        if (samples <= 4096) play(*instance, image, samples, random);
    }
    reset(*instance);
    play(*instance, image, lengths.shortest, random);
}

const KernelTable& some_kernels(std::mt19937& random) {
    return random() % 2 == 0 ? best_kernels() : baseline_kernels();
}

void fail(const char* what) {
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

// As whoever plays a file reads it: tables that are folded and constants that are packed become what they were in memory of
// exactly their size.
struct Unpacking {
    bool read(const unsigned char* file, uint64_t count, const KernelTable& kernels, Image& image, Problem& problem,
              uint32_t plan) {
        uint64_t unfolded = 0;
        if (!unfolded_bytes(file, count, unfolded, problem)) return false;
        if (unfolded > kMostToTake) {
            problem.fault = Fault::too_large;
            std::strcpy(problem.text, "its tables are too large to try");
            return false;
        }
        if (unfolded > 0) {
            whole.reset(static_cast<unsigned char*>(::operator new(unfolded, std::align_val_t{64})));
            unfold(file, whole.get());
            file = whole.get();
            count = unfolded;
        }
        Unpacked unpacked{nullptr, 0};
        if (!unpacked_bytes(file, count, unpacked.count, problem)) return false;
        if (unpacked.count > kMostToTake) {
            problem.fault = Fault::too_large;
            std::strcpy(problem.text, "its constants are too large to try");
            return false;
        }
        if (unpacked.count > 0) {
            memory.reset(static_cast<unsigned char*>(::operator new(unpacked.count, std::align_val_t{64})));
            unpack(file, memory.get());
            unpacked.bytes = memory.get();
        }
        return read_image(file, count, kernels, image, problem, plan, unpacked);
    }

    struct Free {
        void operator()(unsigned char* data) const { ::operator delete(data, std::align_val_t{64}); }
    };
    std::unique_ptr<unsigned char, Free> whole;
    std::unique_ptr<unsigned char, Free> memory;
};

// Exactly as many bytes, so that what is read beyond them is found.
struct Exact {
    explicit Exact(const Bytes& bytes, size_t count)
        : data(static_cast<unsigned char*>(::operator new(std::max<size_t>(count, 1), std::align_val_t{64}))) {
        std::memcpy(data, bytes.data(), count);
    }
    Exact(const Exact&) = delete;
    Exact& operator=(const Exact&) = delete;
    ~Exact() { ::operator delete(data, std::align_val_t{64}); }
    unsigned char* data;
};

void try_one(const Bytes& good, std::mt19937& random, Counts& counts) {
    Bytes bad = good;
    Damage damage{random, good, bad};
    for (size_t left = 1 + damage.below(3); left > 0; --left) damage.once();
    size_t count = bad.size();
    const bool cut = damage.below(16) == 0;
    if (cut) count = damage.below(count);
    if (cut && count >= sizeof(Header) && damage.below(2) == 0) reinterpret_cast<Header*>(bad.data())->bytes = count;
    const bool sealed = damage.below(8) != 0;
    if (sealed && count >= sizeof(Header)) {
        reinterpret_cast<Header*>(bad.data())->checksum = crc32(bad.data() + 16, count - 16);
    }
    const Exact file(bad, count);
    Image image;
    Problem problem;
    const uint32_t plan = damage.below(2) == 0 ? 0 : static_cast<uint32_t>(damage.below(4));
    Unpacking unpacking;
    if (!unpacking.read(file.data, count, some_kernels(random), image, problem, plan)) {
        if (problem.fault == Fault::none || problem.text[0] == '\0') fail("refused without a reason");
        ++counts.refused[static_cast<int>(problem.fault)];
        return;
    }
    const bool unchanged = count == good.size() && std::memcmp(bad.data(), good.data(), count) == 0;
    if (!sealed && !unchanged) fail("a damaged file was accepted whose checksum nobody had made right");
    if (instance_bytes(image) > kMostToTake || !is_quick(image)) {
        ++counts.too_much;
        return;
    }
    play_some(image, random);
    ++counts.played;
}

Bytes unfolded_file(const Bytes& file) {
    uint64_t unfolded = 0;
    Problem problem;
    if (!unfolded_bytes(file.data(), file.size(), unfolded, problem)) fail(problem.text);
    if (unfolded == 0) return file;
    Bytes made(unfolded);
    unfold(file.data(), made.data());
    return made;
}

// Damage after the proof: what the reader keeps away.
void play_unproved(const Bytes& good, std::mt19937& random) {
    Bytes file = unfolded_file(good);
    Image image;
    Problem problem;
    Unpacking unpacking;
    if (!unpacking.read(file.data(), file.size(), best_kernels(), image, problem, 0)) fail(problem.text);
    Damage{random, unfolded_file(good), file}.bend_extent();
    if (is_quick(image)) play_some(image, random);
}

Bytes proved(Bytes bytes, const std::string& name) {
    Image image{};
    Problem problem;
    Unpacking unpacking;
    uint32_t plan = 0;
    do {
        if (unpacking.read(bytes.data(), bytes.size(), best_kernels(), image, problem, plan)) continue;
        std::fprintf(stderr, "%s: %s\n", name.c_str(), problem.text);
        std::exit(1);
    } while (++plan < image.plans);
    return bytes;
}

Bytes read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    Bytes bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return proved(bytes, path);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    const auto unproved = std::find(words.begin(), words.end(), "unproved");
    const bool is_proved = unproved == words.end();
    if (!is_proved) words.erase(unproved);
    const int count = words.empty() ? 2000 : std::atoi(words[0].c_str());
    const unsigned seed = words.size() < 2 ? 1 : static_cast<unsigned>(std::atoi(words[1].c_str()));
    std::vector<Bytes> models;
    for (size_t index = 2; index < words.size(); ++index) models.push_back(read_file(words[index]));
    if (models.empty()) {
        const Builder walking = own_plan(64, 80);
        const Builder moved = own_plan(33, 0);
        models.push_back(proved(walking.file(), "a plan of our own"));
        models.push_back(proved(moved.file(), "a plan of our own"));
        models.push_back(proved(walking.file_for_rates({moved, walking}, {48000, 44100, 96000}), "plans of our own"));
        models.push_back(proved(packed_plan(), "a plan of our own"));
        for (const Builder& layer : {recurrent_plan(kLstm, 70, kByteWeights, kFloatWeights),
                                     recurrent_plan(kGru, 19, kByteWeights, kHalfWeights),
                                     recurrent_plan(kRnn, 33, kHalfWeights, kByteWeights),
                                     recurrent_plan(kLstm, 18, kHalfWeights, kHalfWeights)}) {
            models.push_back(proved(layer.file(), "a recurrent layer of our own"));
        }
        for (size_t index = 0, plain = models.size(); index < plain; ++index) {
            models.push_back(proved(plan::folded_file(models[index]), "a folded plan of our own"));
        }
    }
    std::mt19937 random(seed);
    Counts counts;
    for (int trial = 0; trial < count; ++trial) {
        const Bytes& model = models[static_cast<size_t>(trial) % models.size()];
        if (is_proved) {
            try_one(model, random, counts);
        } else {
            play_unproved(model, random);
        }
    }
    std::printf(
        "%d files: %d were no models, %d too new, %d damaged, %d no plans, %d too large, %d not tried, %d played\n",
        count, counts.refused[1], counts.refused[2], counts.refused[3], counts.refused[4], counts.refused[5],
        counts.too_much, counts.played);
    if (is_proved && count >= 1000 && (counts.played < count / 50 || counts.refused[4] < count / 50)) {
        fail("Too few were played, or refused for their plan, to prove anything.");
    }
    return 0;
}
