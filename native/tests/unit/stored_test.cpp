// Files in fewer bytes: packed constants and folded tables become what they were made of, and what is wrong is told.
#include <functional>
#include <string>

#include "reader_support.hpp"

namespace {

// Two scales of a bfloat16 each (0.5 and -2), then bytes.
std::string scaled(std::initializer_list<int> numbers) {
    std::string packed("\x00\x3f\x00\xc0", 4);
    for (const int number : numbers) packed.push_back(static_cast<char>(number));
    return packed;
}

std::vector<float> unpacked(const Bytes& file) {
    uint64_t bytes = 0;
    Problem problem;
    if (!unpacked_bytes(file.data(), file.size(), bytes, problem)) {
        MESSAGE(problem.text);
        return {};
    }
    Bytes memory(bytes);
    unpack(file.data(), memory.data());
    const auto* floats = reinterpret_cast<const float*>(memory.data());
    return {floats, floats + bytes / sizeof(float)};
}

std::vector<float> unpacked(const Packing& packing, const std::string& packed) {
    return unpacked(echo().packed_file({packing}, packed));
}

Problem refused_packing(const std::function<void(Packing&)>& spoil) {
    Packing packing{kInt8, 2, 3, 1, 3, 0, 4, 0, 0};
    spoil(packing);
    const Bytes file = echo().packed_file({packing}, scaled({1, 2, 3, 4, 5, 6}));
    uint64_t bytes = 0;
    Problem problem;
    const bool good = unpacked_bytes(file.data(), file.size(), bytes, problem);
    CHECK(good == (problem.fault == Fault::none));
    return problem;
}

}  // namespace

TEST_CASE("packed constants become what they were made of") {
    const auto begins = [](const std::vector<float>& got, std::initializer_list<float> wanted) {
        REQUIRE(got.size() >= wanted.size());
        CHECK(got.size() % 16 == 0);
        size_t at = 0;
        for (const float each : wanted) CHECK(got[at++] == each);
        for (; at < got.size(); ++at) CHECK(got[at] == 0.0f);
    };
    // Two blocks of three, four apart, each with a scale of its own.
    begins(unpacked({kInt8, 2, 3, 1, 3, 0, 4, 0, 0}, scaled({1, -2, 127, -127, 0, 3})),
           {0.5f, -1.0f, 63.5f, 0.0f, 254.0f, -0.0f, -6.0f});
    // Three rows of two lanes; the last row has no scale of its own in groups of three.
    begins(unpacked({kInt8, 1, 3, 2, 3, 0, 0, 8, 0}, scaled({1, 1, 2, 2, 3, 3})),
           {0.0f, 0.0f, 0.5f, -2.0f, 1.0f, -4.0f, 1.5f, -6.0f});
    // Two rows in groups of one: -8..7, the even number in the lower half of a byte.
    begins(unpacked({kInt4, 1, 2, 1, 1, 0, 0, 0, 0}, scaled({0x78})), {-4.0f, -14.0f});
    begins(unpacked({kHalf, 1, 1, 5, 0, 0, 0, 0, 0}, std::string("\x00\x3c\x00\xc0\x01\x00\xff\x7b\x00\x84", 10)),
           {1.0f, -2.0f, 5.9604644775390625e-8f, 65504.0f, -6.103515625e-5f});
    begins(unpacked({kWhole, 1, 1, 2, 0, 0, 0, 0, 0}, std::string("\x00\x00\x80\x3f\x00\x00\x00\x40", 8)),
           {1.0f, 2.0f});
    // A factor for each half of four lanes.
    std::string factors(16, '\0');
    const double two[] = {3.0, 0.25};
    std::memcpy(factors.data(), two, sizeof two);
    const std::string scales("\x80\x3f\x80\x3f\x80\x3f\x80\x3f", 8);
    begins(unpacked({kInt8, 1, 1, 4, 1, 2, 0, 0, 0}, factors + scales + "\x01\x02\x04\x08"), {3.0f, 6.0f, 1.0f, 2.0f});
}

TEST_CASE("packed constants are within the file, and become no more than memory has room for") {
    CHECK(refused_packing([](Packing&) {}).fault == Fault::none);
    const auto refused = [](const char* words, const std::function<void(Packing&)>& spoil) {
        check_refused(Fault::bad_plan, words, refused_packing(spoil));
    };
    refused("packing 0: its kind is unknown", [](Packing& it) { it.as = 4; });
    refused("no rows that share", [](Packing& it) { it.group = 0; });
    refused("no rows that share", [](Packing& it) { it.as = kHalf; });
    refused("too many numbers", [](Packing& it) { it.rows = 0; });
    refused("too many numbers", [](Packing& it) { it.outer = it.rows = it.lanes = ~uint32_t{0}; });
    refused("as divide its lanes", [](Packing& it) { it.factors = 2; });
    refused("within what is packed", [](Packing& it) { it.lanes = 2; });
    refused("within what is packed", [](Packing& it) { it.group = 1; });
    refused("within what is packed", [](Packing& it) { it.source = 8; });
    refused("within what is packed", [](Packing& it) { it.source = ~uint64_t{7}; });
    refused("within what is packed", [](Packing& it) { it.source = 1; });
    refused("within 1024 MiB", [](Packing& it) { it.destination = 2; });
    refused("within 1024 MiB", [](Packing& it) { it.destination = kMostMemory; });
    refused("within 1024 MiB", [](Packing& it) { it.destination = ~uint64_t{3}; });
    refused("within 1024 MiB", [](Packing& it) { it.outer_step = ~uint64_t{0}; });
    refused("within 1024 MiB", [](Packing& it) { it.outer_step = uint64_t{1} << 28; });

    // A plan that reads them is proved against what they become, and refused without that.
    Builder builder = echo();
    builder.constant({1.0f, 2.0f, 3.0f});
    builder.views[3].buffer = 2;
    builder.views[3].offset = fixed(0);
    builder.views[3].dims[1] = fixed(3);
    builder.views[3].strides[0] = 0;
    builder.steps.clear();
    const Bytes file = builder.packed_file({{kInt8, 2, 3, 1, 3, 0, 3, 0, 0}}, scaled({1, 2, 3, 4, 5, 6}));
    Image image;
    Problem problem;
    CHECK(!read_image(file.data(), file.size(), simple_kernels(), image, problem));
    check_refused(Fault::bad_plan, "reaches beyond its memory", problem);
    uint64_t bytes = 0;
    REQUIRE(unpacked_bytes(file.data(), file.size(), bytes, problem));
    CHECK(bytes == 64 + 128);
    Bytes memory(bytes);
    unpack(file.data(), memory.data());
    CHECK(read_image(file.data(), file.size(), simple_kernels(), image, problem, 0, {memory.data(), bytes}));
    CHECK(!read_image(file.data(), file.size(), simple_kernels(), image, problem, 0, {memory.data(), 8}));

    // Packed in a file of an older version, or not packed in this one.
    Bytes older = file;
    reinterpret_cast<Header*>(older.data())->version = kVersion;
    CHECK(!unpacked_bytes(older.data(), older.size(), bytes, problem));
    check_refused(Fault::bad_plan, "should be as they are played", problem);
    Bytes plain = echo().file();
    reinterpret_cast<Header*>(plain.data())->version = kVersionOfPacked;
    CHECK(!unpacked_bytes(plain.data(), plain.size(), bytes, problem));
    check_refused(Fault::bad_plan, "should be packed", problem);
    Bytes whole = echo().file();
    CHECK(unpacked_bytes(whole.data(), whole.size(), bytes, problem));
    CHECK(bytes == 0);
}

namespace {

// A file whose table of one kind is this instead, read as whoever plays it reads it.
Problem unfolding_of(uint32_t kind, const std::string& table) {
    Parts parts;
    const Bytes whole = folded_file(echo().file());
    const auto* section = reinterpret_cast<const Section*>(whole.data() + sizeof(Header));
    for (const auto* end = section + reinterpret_cast<const Header*>(whole.data())->sections; section != end;
         ++section) {
        if (section->kind == kind) {
            parts.add(kind, 0, table.data(), table.size());
        } else {
            parts.add(section->kind, 0, whole.data() + section->offset, section->bytes);
        }
    }
    const Bytes file = parts.file(kVersionOfFolded);
    uint64_t bytes = 0;
    Problem problem;
    const bool good = unfolded_bytes(file.data(), file.size(), bytes, problem);
    CHECK(good == (bytes > 0));
    if (!good) return problem;
    Bytes memory(bytes);
    unfold(file.data(), memory.data());
    return read(memory, memory.size());
}

}  // namespace

TEST_CASE("folded tables become the file that they were made of, byte by byte") {
    const Builder hostile = [] {
        Builder builder = echo();
        builder.integers = {0, -1, 1, INT32_MAX, INT32_MIN, 64, -64, 63, -65, 1 << 20};
        builder.metadata = "{}  ";
        return builder;
    }();
    const Packing packing{kInt8, 2, 3, 1, 3, 0, 4, 0, 0};
    for (const Bytes& plain : {echo().file(), hostile.file(), echo().file_for_rates({echo(64)}, {48000, 96000}),
                               echo().packed_file({packing}, scaled({1, 2, 3, 4, 5, 6}))}) {
        const Bytes folded = folded_file(plain);
        uint64_t bytes = 0;
        Problem problem;
        REQUIRE(unfolded_bytes(folded.data(), folded.size(), bytes, problem));
        REQUIRE(bytes == plain.size());
        Bytes again(bytes);
        unfold(folded.data(), again.data());
        CHECK(std::memcmp(again.data(), plain.data(), bytes) == 0);
        CHECK(unfolded_bytes(plain.data(), plain.size(), bytes, problem));
        CHECK(bytes == 0);  // the older versions are read as they are
        check_refused(Fault::bad_plan, "have to be unfolded", read(folded, folded.size()));
    }
}

TEST_CASE("folded tables that are cut short, or become too much, are told") {
    const std::string three("\x03\x00\x00\x00\x07\x02\x81\x01\xff\xff\xff\xff\x0f", 13);  // 1, -65, INT32_MIN
    CHECK(unfolding_of(kIntegers, three).fault == Fault::none);
    CHECK(unfolding_of(kIntegers, std::string(4, '\0')).fault == Fault::none);
    const auto refused = [](const std::string& table) {
        check_refused(Fault::bad_plan, "its folded integers are not as long as", unfolding_of(kIntegers, table));
    };
    refused("");
    refused(three.substr(0, 3));
    for (size_t kept = 4; kept < three.size(); ++kept) refused(three.substr(0, kept));
    refused(three + '\0');
    refused(std::string("\x01\x00\x00\x00\x01\xff\xff\xff\xff\xff\x01", 11));  // a number of six bytes
    refused(std::string("\xff\xff\xff\xff\x00", 5));
    check_refused(Fault::bad_plan, "no multiple of 120", unfolding_of(kViews, three));
    check_refused(Fault::bad_plan, "one set of facts", unfolding_of(kFacts, ""));

    // 33 MiB of words that are all 0, in as many parts as a file may have.
    std::string zeros(size_t{1} << 20, '\0');
    const auto words = static_cast<uint32_t>((zeros.size() - 4) * 8);
    std::memcpy(zeros.data(), &words, 4);
    Parts parts;
    parts.add(kViews, 0, zeros.data(), zeros.size());
    Bytes file = [&] {
        for (uint32_t plan = 1; plan < kMostPlans; ++plan) {
            for (const uint32_t kind : {kBuffers, kViews, kSteps})
                parts.sections.push_back({kind, plan, 0, zeros.size()});
        }
        return parts.file(kVersionOfFolded);
    }();
    uint64_t bytes = 0;
    Problem problem;
    CHECK(!unfolded_bytes(file.data(), file.size(), bytes, problem));
    check_refused(Fault::too_large, "MiB with its tables unfolded, the limit is 1024", problem);
    // One that is cut within its head is no file whose tables could be folded: the reader says so.
    CHECK(unfolded_bytes(file.data(), 20, bytes, problem));
    CHECK(bytes == 0);
    CHECK(!unfolded_bytes(file.data(), file.size() - 64, bytes, problem));
    check_refused(Fault::damaged, "and has ", problem);
}
