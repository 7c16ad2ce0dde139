// What a reader of compiled models accepts, and how it says what it refuses.
#include <functional>
#include <string>

#include "reader_support.hpp"

namespace {

void check_plan_refused(const std::string& words, const std::function<void(Builder&)>& spoil) {
    Builder builder = echo();
    spoil(builder);
    check_refused(Fault::bad_plan, words, read(builder));
}

}  // namespace

TEST_CASE("the checksum is zlib's") {
    const auto* digits = reinterpret_cast<const unsigned char*>("123456789");
    CHECK(crc32(digits, 9) == 0xCBF43926u);
    CHECK(crc32(digits, 0) == 0);
    CHECK(crc32(digits, 8) == 0x9AE0DAAFu);
}

TEST_CASE("a plan that holds together is accepted, in all its parts") {
    CHECK(read(echo()).fault == Fault::none);
    CHECK(read(echo(64)).fault == Fault::none);  // the shortest ring, for 64 new elements
    CHECK(read(echo(0)).fault == Fault::none);
    Builder tested = echo();
    tested.facts.test_samples = 4;
    const Bytes bytes = tested.file(std::vector<float>(16));
    CHECK(read(bytes, bytes.size()).fault == Fault::none);
    const Bytes too_few = tested.file(std::vector<float>(15));
    check_refused(Fault::bad_plan, "should have 16 numbers, and has 15", read(too_few, too_few.size()));
}

TEST_CASE("what is no model, too new, cut short or damaged is told apart") {
    const Bytes whole = echo().file();
    const auto changed = [&](size_t at, unsigned char value) {
        Bytes bytes = whole;
        bytes.data()[at] = value;
        return read(bytes, bytes.size());
    };
    check_refused(Fault::no_model, "does not begin as", changed(0, 'P'));
    check_refused(Fault::no_model, "does not begin as", read(whole, 0));
    check_refused(Fault::no_model, "does not begin as", read(whole, 7));
    check_refused(Fault::damaged, "within its first 32 bytes", read(whole, 31));
    check_refused(Fault::too_new, "version 9 of the format, this library reads versions 1 to 4", changed(8, 9));
    check_refused(Fault::damaged, "and has ", read(whole, whole.size() - 64));
    for (const size_t at : {size_t{16}, size_t{40}, whole.size() / 2, whole.size() - 1}) {
        CHECK(changed(at, static_cast<unsigned char>(whole.data()[at] + 1)).fault == Fault::damaged);
    }
    Image image;
    Problem problem;
    CHECK(!read_image(whole.data() + 4, 100, simple_kernels(), image, problem));
    check_refused(Fault::bad_plan, "multiple of 64", problem);
    CHECK(!read_image(whole.data(), kMostMemory + 1, simple_kernels(), image, problem));
    check_refused(Fault::too_large, "1024 MiB, the limit is 1024", problem);
}

TEST_CASE("sections are there once, aligned and inside") {
    const auto spoilt = [](const std::function<void(Section*)>& spoil) {
        Bytes bytes = echo().file();
        spoil(reinterpret_cast<Section*>(bytes.data() + sizeof(Header)));
        Builder::seal(bytes);
        return read(bytes, bytes.size());
    };
    check_refused(Fault::bad_plan, "(views) reaches beyond", spoilt([](Section* at) { at[3].bytes = 1u << 30; }));
    check_refused(Fault::bad_plan, "reaches beyond", spoilt([](Section* at) { at[3].bytes = ~uint64_t{0}; }));
    check_refused(Fault::bad_plan, "reaches beyond", spoilt([](Section* at) { at[3].offset = ~uint64_t{0}; }));
    check_refused(Fault::bad_plan, "multiple of 64", spoilt([](Section* at) { at[3].offset += 8; }));
    check_refused(Fault::bad_plan, "there twice", spoilt([](Section* at) { at[3].kind = kFacts; }));
    check_refused(Fault::bad_plan, "unknown", spoilt([](Section* at) { at[3].kind = 77; }));
    check_refused(Fault::bad_plan, "no multiple of 120", spoilt([](Section* at) { at[3].bytes -= 4; }));
    check_refused(Fault::bad_plan, "one set of facts, and has 0", spoilt([](Section* at) { at[1].bytes = 0; }));
}

TEST_CASE("plans for several rates are proved one by one") {
    const auto problem_of = [](const Bytes& bytes, uint32_t plan) {
        Image image;
        Problem problem;
        if (read_image(bytes.data(), bytes.size(), simple_kernels(), image, problem, plan)) {
            CHECK(image.plans == 2);
            CHECK(image.rates[1] == 96000);
            CHECK(image.buffers[0].length == (plan == 0 ? 128 : 64));
        }
        return problem;
    };
    const Bytes good = echo().file_for_rates({echo(64)}, {48000, 96000});
    CHECK(problem_of(good, 0).fault == Fault::none);
    CHECK(problem_of(good, 1).fault == Fault::none);
    check_refused(Fault::bad_plan, "plan 2 is asked for, and it says that it has 2", problem_of(good, 2));
    Builder spoilt = echo();
    spoilt.facts.in_channels = 65;
    const Bytes second = echo().file_for_rates({spoilt}, {48000, 96000});
    CHECK(problem_of(second, 1).fault == Fault::bad_plan);
    const auto refused = [&](const char* words, const std::vector<int32_t>& rates, uint32_t plan) {
        check_refused(Fault::bad_plan, words, problem_of(echo().file_for_rates({echo(64)}, rates), plan));
    };
    refused("can't be for 48000 Hz, or not twice", {48000, 48000}, 0);
    refused("can't be for 0 Hz", {48000, 0}, 0);
    refused("it says that it has 17", std::vector<int32_t>(17, 1), 0);
    refused("one set of facts, and has 0", {48000, 44100, 96000}, 2);
    refused("plan 0 is asked for, and it says that it has 0", {}, 0);
    Bytes moved = good;
    reinterpret_cast<Section*>(moved.data() + sizeof(Header))[0].plan = 1;  // the metadata, which are those of all
    Builder::seal(moved);
    check_refused(Fault::bad_plan, "(metadata) is unknown", problem_of(moved, 1));
    const Bytes alone = echo().file();
    check_refused(Fault::bad_plan, "plan 1 is asked for, and it says that it has 1", [&] {
        Image image;
        Problem problem;
        CHECK(!read_image(alone.data(), alone.size(), simple_kernels(), image, problem, 1));
        return problem;
    }());
}

TEST_CASE("facts lie within limits") {
    check_plan_refused("can't be", [](Builder& plan) { plan.facts.shortest = 0; });
    check_plan_refused("can't be", [](Builder& plan) { plan.facts.shortest = 65; });
    check_plan_refused("can't be", [](Builder& plan) { plan.facts.multiple_of = -1; });
    check_plan_refused("can't be", [](Builder& plan) { plan.facts.multiple_of = 48; });
    check_plan_refused("can't be", [](Builder& plan) { plan.facts.multiple_of = 0; });
    check_plan_refused("in_channels must lie in 1..64, got 65", [](Builder& plan) { plan.facts.in_channels = 65; });
    check_plan_refused("inputs must lie in 1..1, got 2", [](Builder& plan) { plan.facts.inputs = 2; });
    check_plan_refused("output must lie in 0..3, got 4", [](Builder& plan) { plan.facts.output = 4; });
    check_plan_refused("rings must lie in 0..2, got -1", [](Builder& plan) { plan.facts.rings = -1; });
    check_plan_refused("got 2048", [](Builder& plan) { plan.facts.arena_bytes = uint64_t{1} << 31; });
    Builder large = echo();
    large.facts.granule = 65537;
    check_refused(Fault::too_large, "up to 65537 samples, the limit is 65536", read(large));
    large = echo();
    large.facts.arena_bytes = kMostMemory;
    check_refused(Fault::too_large, "1024 MiB to play", read(large));
}

TEST_CASE("buffers lie within their memory, and rings have room to go round") {
    check_plan_refused("buffer 1: it reaches beyond", [](Builder& plan) { plan.buffers[1].elements = 129; });
    check_plan_refused("buffer 1: it reaches beyond", [](Builder& plan) { plan.buffers[1].offset = 64; });
    check_plan_refused("buffer 1: it reaches beyond", [](Builder& plan) { plan.buffers[1].offset = ~uint64_t{63}; });
    check_plan_refused("multiple of 64", [](Builder& plan) { plan.buffers[1].offset = 4; });
    check_plan_refused("kind or its type", [](Builder& plan) { plan.buffers[1].kind = 4; });
    check_plan_refused("kind or its type", [](Builder& plan) { plan.buffers[1].type = 2; });
    check_plan_refused("rings come first", [](Builder& plan) { plan.facts.rings = 0; });
    check_plan_refused("rings come first", [](Builder& plan) { plan.facts.rings = 2; });
    check_plan_refused("a ring of 63 places", [](Builder& plan) { plan.buffers[0].length = 63; });
    check_plan_refused("a ring of 64 places", [](Builder& plan) {
        plan.buffers[0].length = 64;
        plan.buffers[0].front = plan.buffers[0].history = 65;
        plan.buffers[0].rows = 1;
    });
    check_plan_refused("rows don't fit", [](Builder& plan) { plan.buffers[0].length = 256; });
    check_plan_refused("rows don't fit", [](Builder& plan) { plan.buffers[0].rows = 3; });
    check_plan_refused("rows, pitch", [](Builder& plan) { plan.buffers[0].front = 2; });
    check_plan_refused("rows, pitch", [](Builder& plan) { plan.buffers[0].pitch = -1; });
    check_plan_refused("0 or more", [](Builder& plan) { plan.buffers[0].advance = samples(-2); });
    check_plan_refused("whole number", [](Builder& plan) { plan.buffers[0].advance = samples(0, 1, 2); });
    check_plan_refused("whole number", [](Builder& plan) { plan.buffers[0].advance.denominator = 0; });
    check_plan_refused("at first", [](Builder& plan) { plan.buffers[0].initial = 0; });
    check_plan_refused("at first", [](Builder& plan) { plan.buffers[0].initial = -64; });
    Builder huge = echo();
    huge.buffers[1].elements = int64_t{1} << 62;
    check_refused(Fault::too_large, "buffer 1 has 4611686018427387904 elements", read(huge));
    check_plan_refused("16 elements behind it", [](Builder& plan) {
        plan.constant({1.0f});
        plan.constants.resize(1);
        plan.constants.resize(16);
        plan.views[3].buffer = 2;
    });
}

TEST_CASE("views stay within their buffers for every block") {
    const auto beyond = [](const std::function<void(View*)>& spoil) {
        check_plan_refused("reaches beyond its buffer", [&](Builder& plan) { spoil(plan.views.data()); });
    };
    beyond([](View* views) { views[3].offset = fixed(-4); });        // before the history, at the first place
    beyond([](View* views) { views[3].offset = fixed(27); });        // behind the last place's block
    beyond([](View* views) { views[1].offset = fixed(1); });         // only in a block of 64
    beyond([](View* views) { views[1].offset = samples(32, -1); });  // only in a block of 33 and more
    beyond([](View* views) { views[1].strides[0] = 65; });
    beyond([](View* views) { views[1].strides[1] = -1; });
    beyond([](View* views) { views[1].dims[0] = fixed(3); });
    beyond([](View* views) { views[1].offset.base = -2147483647 - 1; });
    const auto refused = [](const char* words, const std::function<void(View*)>& spoil) {
        check_plan_refused(words, [&](Builder& plan) { spoil(plan.views.data()); });
    };
    refused("negative or too large", [](View* views) { views[1].dims[1] = samples(-2); });
    refused("negative or too large", [](View* views) { views[1].dims[1] = samples(63, -1, 1); });
    refused("whole number", [](View* views) { views[1].dims[1] = samples(0, 1, 2); });
    refused("whole number", [](View* views) { views[1].dims[1] = samples(0, 1, 0); });
    refused("whole number", [](View* views) { views[1].dims[1] = samples(0, 1, -2147483647 - 1); });
    refused("is too large", [](View* views) {
        views[1].dims[0] = fixed(2147483647);
        views[1].strides[0] = 2147483647;
    });
    refused("is too large", [](View* views) {
        views[1].dims[0] = fixed(1 << 30);
        views[1].strides[0] = 0;
    });
    refused("rank or flags", [](View* views) { views[1].rank = 7; });
    refused("rank or flags", [](View* views) { views[1].flags = 2; });
    refused("rank or flags", [](View* views) { views[1].buffer = 2; });
    refused("not contiguous", [](View* views) { views[3].flags = kPadded, views[3].strides[1] = 2; });
}

TEST_CASE("padding is counted where it is written, and only then") {
    // Blocks of 1..60 in rows of 60: the last one's padding would end 4 elements further.
    Builder builder = echo();
    builder.facts.granule = 60;
    builder.views[1].strides[0] = 60;
    builder.buffers[1].elements = 120;
    CHECK(read(builder).fault == Fault::none);
    builder.views[1].flags = kPadded;
    check_refused(Fault::bad_plan, "reaches beyond its buffer in a block of 49 samples", read(builder));
    builder.buffers[1].elements = 124;
    CHECK(read(builder).fault == Fault::none);
}

TEST_CASE("an empty view is one as well") {
    Builder builder = echo();
    builder.view(1, fixed(128), {fixed(2), samples(-1)}, {64, 1});
    CHECK(read(builder).fault == Fault::bad_plan);  // not empty in a block of 2
    builder.views.back().dims[0] = fixed(0);
    CHECK(read(builder).fault == Fault::none);
    builder.views.back().offset = fixed(129);
    CHECK(read(builder).fault == Fault::bad_plan);
}

TEST_CASE("audio and parameters have their places") {
    check_plan_refused("audio goes into", [](Builder& plan) { plan.views[0].dims[0] = fixed(1); });
    check_plan_refused("audio goes into", [](Builder& plan) { plan.views[0].dims[1] = samples(-1); });
    check_plan_refused("audio comes from", [](Builder& plan) { plan.views[1].dims[1] = fixed(1); });
    const auto with_parameter = [](Extent size) {
        Builder builder = echo();
        builder.facts.parameters = 1;
        builder.facts.inputs = 2;
        View view = builder.views[1];
        view.rank = 1;
        view.dims[0] = size;
        view.strides[0] = 1;
        builder.views.insert(builder.views.begin() + 1, view);
        builder.steps[0] = {kAddition, 2, 3, 0, 0};
        builder.facts.output = 2;
        return read(builder);
    };
    CHECK(with_parameter(fixed(1)).fault == Fault::none);
    CHECK(with_parameter(samples()).fault == Fault::none);
    check_refused(Fault::bad_plan, "a parameter goes into", with_parameter(fixed(2)));
    check_plan_refused("can't be a constant", [](Builder& plan) {
        plan.views[0].buffer = plan.constant({1.0f, 2.0f});
        plan.views[0].dims[1] = fixed(1);
        plan.views[0].strides[0] = 1;
    });
}

TEST_CASE("steps name what is there, and kernels are asked about every block") {
    Builder later = echo();
    later.steps[0].kernel = kKernelCount;
    check_refused(Fault::too_new, "step 0 needs kernel " + std::to_string(kKernelCount) + ", and this library has 0 to",
                  read(later));
    check_plan_refused("views that are not there", [](Builder& plan) { plan.steps[0].first_view = 2; });
    check_plan_refused("views that are not there", [](Builder& plan) { plan.steps[0].first_view = ~0u; });
    check_plan_refused("more than 128 views", [](Builder& plan) { plan.steps[0].views = ~0u; });
    check_plan_refused("whole numbers that are not there", [](Builder& plan) { plan.steps[0].integers = 1; });
    check_plan_refused("step 0 (none): another kernel is needed", [](Builder& plan) { plan.steps[0].kernel = kGru; });
    check_plan_refused("step 0 (addition): the same dimensions is needed, in a block of 2 samples",
                       [](Builder& plan) { plan.views[3].dims[1] = fixed(1); });
    check_plan_refused("an output that is no constant", [](Builder& plan) {
        const uint32_t constant = plan.constant({1.0f, 2.0f});
        for (uint32_t rows = 0; rows < 3; ++rows) plan.view(constant, fixed(0), {fixed(2)}, {1});
        plan.step(kAddition, 3);
    });
}
