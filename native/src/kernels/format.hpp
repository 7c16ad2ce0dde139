// The file of a compiled model, model.nlc: numbers and nothing else. All little-endian, every section at a multiple of 64
// bytes. Offsets count from the start of the file or of a section; there is no pointer and no code.
// docs/reference/compiled-models.md says the same in words, and neutone_like/compiler/file.py writes it.
#pragma once

#include <cstdint>

namespace neutone_like::compiled {

constexpr char kMagic[8] = {'N', 'L', 'C', 'O', 'M', 'P', '\r', '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint32_t kVersionOfPlans =
    2;  // with plans for several rates: a reader of version 1 would not choose among them
constexpr uint32_t kVersionOfPacked = 3;  // with packed constants, for one rate or several
// As a file of version 1 to 3, but for its tables: buffers, views, steps, integers and packings. A folded table is the number
// of its 32-bit words, as one of them, and then for every 8 words a byte whose bits, the lowest first, say which of them
// differ from the word one item before (from 0 in the first item, and always for integers), followed by these differences:
// each modulo 2^32, with 0, 1, 2, 3... for 0, -1, 1, -2..., in bytes of seven bits, the lowest first, all but the last with
// the eighth bit set.
// A file with recurrent weights in 8 or 16 bits (kLstm in kernel_ids.hpp) has this version in any case: readers of the ones
// before don't know them.
constexpr uint32_t kVersionOfFolded = 4;
constexpr uint32_t kMostPlans = 16;
constexpr int kMaximumRank = 6;
constexpr int kVectorFloats = 16;  // rows are padded to this, and memory reaches this much beyond whatever is read

struct Header {
    char magic[8];
    uint32_t version;
    uint32_t checksum;  // CRC-32 (that of zlib) of all bytes from `bytes` on
    uint64_t bytes;     // of the whole file
    uint32_t sections;
    uint32_t zero;
};
static_assert(sizeof(Header) == 32);

enum SectionKind : uint32_t {
    kMetadata = 1,   // UTF-8, JSON: that of model.nm
    kFacts = 2,      // one Facts
    kBuffers = 3,    // Buffer[]
    kViews = 4,      // View[]
    kSteps = 5,      // Step[], in the order in which they run
    kIntegers = 6,   // int32[]
    kConstants = 7,  // float32 and float64, each array at a multiple of 64 bytes
    // float32: input [in_channels][look_behind + samples], one value of each parameter, output [out_channels][samples]
    kTestVector = 8,
    // int32[]: where there is a plan for each of several sample rates, those in Hz, in the order of the plans. Without it
    // there is one plan, for every rate that the metadata names. Metadata, constants and rates are those of all plans.
    kRates = 9,
    // Of version 3, in the place of kConstants: Packing[], and the numbers that these become the constants of.
    kPackings = 10,
    kPacked = 11
};

struct Section {
    uint32_t kind;
    uint32_t plan;    // which one it belongs to; 0: the first, or all
    uint64_t offset;  // of the file
    uint64_t bytes;
};
static_assert(sizeof(Section) == 24);

// A whole number that depends on the block: base + numerator * samples / denominator, without a remainder for every block
// that the plan takes. `samples` includes the look-behind.
struct Extent {
    int32_t base;
    int32_t numerator;
    int32_t denominator;  // at least 1
};

struct Facts {
    int32_t shortest;     // new samples of the shortest block
    int32_t multiple_of;  // blocks are multiples of it; 0: `shortest` is the only one
    int32_t granule;      // the longest block
    int32_t look_behind;  // past samples that come before each block
    int32_t in_channels;
    int32_t out_channels;
    int32_t parameters;
    int32_t delay_samples;
    int32_t rings;         // how many of the buffers are rings: they come first
    int32_t inputs;        // how many views come first that the host's audio and then its parameters are written to
    int32_t output;        // the view that the result is read from
    int32_t test_samples;  // of the test vector
    uint64_t arena_bytes;  // for what lives within one block
    uint64_t state_bytes;  // for what lives between blocks
};
static_assert(sizeof(Facts) == 64);

enum BufferKind : uint32_t { kRing = 0, kState = 1, kArena = 2, kConstant = 3 };
enum ElementType : uint32_t { kFloat32 = 0, kFloat64 = 1 };

// Memory in one piece. `offset` is in bytes, of the states (kRing, kState), the arena or the constants.
struct Buffer {
    uint32_t kind;
    uint32_t type;
    uint64_t offset;
    int64_t elements;
    // What a ring or a state holds before the first block: bytes into the constants, or -1 for zeros. A state is initialised
    // with `elements` elements; a ring's history with [rows][history].
    int64_t initial;
    // A ring: the last `history` elements of each of `rows` rows of `pitch`. Its views count from the first element of the
    // present block, so that -history is the oldest. With `length` 0 the history lies right before the block, at `front`,
    // and is moved there after each block. Otherwise each element is kept twice, `length` apart, and the place of the
    // block walks through `length` places, so that past and block are always in one piece and nothing is ever moved.
    int32_t rows;
    int32_t pitch;
    int32_t history;
    int32_t length;
    int32_t front;
    Extent advance;  // how far the place of the block moves with each block
};
static_assert(sizeof(Buffer) == 64);

enum PackedAs : uint32_t {
    kWhole = 0,  // float32, or halves of float64
    kHalf = 1,   // IEEE 754 binary16
    kInt8 = 2,   // -127..127
    kInt4 = 3    // -8..7, two in a byte: the even one in its lower half
};

// A piece of the constants, `outer` blocks of [rows][lanes] float32, and how it is stored. What lies at `source`, a multiple
// of 8: `factors` float64; for integers a scale for each [outer][row group][lane], the upper half of a float32; and the
// numbers [outer][rows][lanes]. Number times scale is exact in float32; it is multiplied by the factor of its lane in
// float64, and rounded once. With n factors the first of them is that of the first 1/n of the lanes, and so on.
struct Packing {
    uint32_t as;
    uint32_t outer;
    uint32_t rows;
    uint32_t lanes;
    uint32_t group;        // of integers: rows that share a scale, at least 1; else 0
    uint32_t factors;      // 0, or a divisor of `lanes`
    uint64_t outer_step;   // float32 from one block to the next
    uint64_t destination;  // bytes of the constants, a multiple of 4. What no piece fills is 0
    uint64_t source;       // bytes of kPacked
};
static_assert(sizeof(Packing) == 48);

enum ViewFlags : uint32_t {
    kPadded = 1  // the last dimension is contiguous, and may be written up to the next multiple of kVectorFloats
};

// A strided tensor within a buffer, in elements.
struct View {
    uint32_t buffer;
    uint32_t rank;
    uint32_t flags;
    Extent offset;
    Extent dims[kMaximumRank];
    int32_t strides[kMaximumRank];
};
static_assert(sizeof(View) == 120);

struct Step {
    uint32_t kernel;  // of kernel_ids.hpp
    uint32_t first_view;
    uint32_t views;
    uint32_t first_integer;
    uint32_t integers;
};
static_assert(sizeof(Step) == 20);

}  // namespace neutone_like::compiled
