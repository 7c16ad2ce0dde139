// Steps that a stranger wrote: whatever a check lets through must keep to its operands and its scratch memory. Built with
// AddressSanitizer this also sees what is read.
#include <array>
#include <limits>

#include "kernel_step.hpp"

using namespace kernel_step_test;

namespace {

constexpr int kElements = 2048, kReachable = kElements - kVectorFloats, kGuardBytes = 64;

struct HostileStep {
    uint32_t kernel = 0;
    std::vector<Operand> views;
    std::vector<int32_t> integers;
};

Operand contiguous(const Dims& dims, uint32_t type = kFloat32, bool writable = false) {
    Operand view{};
    view.type = type;
    view.rank = static_cast<uint32_t>(dims.size());
    view.writable = writable;
    int stride = 1;
    for (int d = static_cast<int>(dims.size()) - 1; d >= 0; --d) {
        view.dims[d] = dims[d];
        view.strides[d] = stride;
        stride *= dims[d];
    }
    return view;
}

// One that may run, of every kernel that this file is about.
HostileStep good_step(uint32_t kernel, std::mt19937& random) {
    const int a = between(random, 1, 5), b = between(random, 1, 12), c = between(random, 1, 9);
    switch (kernel) {
        case kCopy:
            return {
                kernel, {contiguous({a, b, c}, any_type(random), true), contiguous({a, b, c}, any_type(random))}, {}};
        case kPointwise: {
            const int32_t operation = between(random, kAdd, kOperations - 1);
            return {kernel,
                    {contiguous({2}, kFloat64), contiguous({a, b}, any_type(random), true),
                     contiguous({a, b}, any_type(random))},
                    {between(random, 0, 1),
                     2,
                     kLoad,
                     0,
                     1,
                     0,
                     0,
                     kNumber,
                     1,
                     1,
                     0,
                     0,
                     operation,
                     0,
                     0,
                     1,
                     0,
                     kStore,
                     0,
                     0,
                     0,
                     0}};
        }
        case kMatmul:
            return {kernel, {contiguous({2, a, b}, kFloat32, true), contiguous({2, a, c}), contiguous({2, c, b})}, {}};
        case kReduce:
            return {kernel, {contiguous({a, b}, kFloat32, true), contiguous({a, b, c})}, {between(random, 0, 4)}};
        case kFourier: {
            const int kind = between(random, 0, 3), n = b + c, half = n / 2 + 1;
            return {kernel,
                    {contiguous(kind == 1 ? Dims{a, n} : Dims{a, kind == 0 ? half : n, 2}, kFloat32, true),
                     contiguous(kind == 0 ? Dims{a, n} : Dims{a, kind == 1 ? half : n, 2}), contiguous({1}),
                     contiguous({n, 2}, kFloat64)},
                    {kind, n}};
        }
        case kGather:
            return {kernel,
                    {contiguous({a, b, c}, kFloat32, true), contiguous({a, 7, c}),
                     contiguous(random() % 2 == 0 ? Dims{b} : Dims{a, b, c}, any_type(random))},
                    {}};
        case kCumulative:
            return {kernel, {contiguous({a, b}, kFloat32, true), contiguous({a, b})}, {between(random, 0, 2)}};
        case kOverlapAdd:
            return {kernel, {contiguous({a, (b - 1) * 3 + c}, kFloat32, true), contiguous({a, b, c})}, {3}};
        case kRecurrence: {
            const int states = between(random, 1, 4);
            return {kernel,
                    {contiguous({a, states, b}, kFloat32, true),
                     contiguous(random() % 2 == 0 ? Dims{states, states, b} : Dims{a, states, states, b}),
                     contiguous({a, states, b}), contiguous({a, states}, kFloat64, true)},
                    {}};
        }
        default: return {kArgument, {contiguous({a}, kFloat64, true), contiguous({a, b})}, {between(random, 0, 1)}};
    }
}

int32_t any_number(std::mt19937& random) {
    const int32_t numbers[] = {0,
                               1,
                               2,
                               3,
                               4,
                               5,
                               7,
                               8,
                               12,
                               13,
                               16,
                               21,
                               24,
                               33,
                               52,
                               -1,
                               -2,
                               -17,
                               100,
                               1 << 20,
                               1 << 24,
                               1 << 30,
                               std::numeric_limits<int32_t>::max(),
                               std::numeric_limits<int32_t>::min()};
    return numbers[random() % std::size(numbers)];
}

void corrupt(HostileStep& step, std::mt19937& random) {
    Operand& view = step.views[random() % step.views.size()];
    const size_t dimension = random() % kMaximumRank;
    switch (random() % 9) {
        case 0: view.dims[dimension] = any_number(random); break;
        case 1: view.strides[dimension] = any_number(random); break;
        case 2: view.rank = static_cast<uint32_t>(random() % (kMaximumRank + 1)); break;
        case 3: view.type = static_cast<uint32_t>(random() % 3); break;
        case 4: view.writable = !view.writable; break;
        case 5: step.views.pop_back(); break;
        case 6: step.views.push_back(view); break;
        case 7: step.integers.push_back(any_number(random)); break;
        default:
            if (!step.integers.empty()) step.integers[random() % step.integers.size()] = any_number(random);
    }
    if (step.views.empty()) step.views.push_back(view);
}

// What the reader has seen to: dimensions of 0 and more, and everything within the buffer. Returns where the view begins.
bool lies_within(const Operand& view, int64_t* start) {
    int64_t low = 0, high = 0;
    bool is_empty = false;
    for (uint32_t d = 0; d < view.rank; ++d) {
        if (view.dims[d] < 0) return false;
        is_empty = is_empty || view.dims[d] == 0;
        const int64_t reach = int64_t{view.strides[d]} * (int64_t{view.dims[d]} - 1);
        (reach < 0 ? low : high) += reach;
    }
    *start = is_empty ? 0 : -low;
    return is_empty || high - low < kReachable;
}

struct Arena {
    std::vector<std::byte> bytes = std::vector<std::byte>(kElements * 8 + 2 * kGuardBytes, std::byte{0xCD});
    std::byte* data() { return bytes.data() + kGuardBytes; }
    bool is_kept(const Operand& view) const {
        const size_t end = kGuardBytes + kElements * (view.type == kFloat64 ? 8u : 4u);
        const auto is_guard = [](std::byte value) { return value == std::byte{0xCD}; };
        return std::all_of(bytes.begin(), bytes.begin() + kGuardBytes, is_guard) &&
               std::all_of(bytes.begin() + static_cast<long>(end), bytes.end(), is_guard);
    }
    void fill(const Operand& view, std::mt19937& random) {
        std::fill(bytes.begin(), bytes.end(), std::byte{0xCD});
        for (int i = 0; i < kElements; ++i) {
            const double special[] = {0.0, -1.0, 1e9, -1e30, std::numeric_limits<double>::quiet_NaN(), 3.0, 0.5, 7.0};
            const double value = special[random() % 8];
            const float narrow = static_cast<float>(value);
            if (view.type == kFloat64)
                std::memcpy(data() + i * 8, &value, 8);
            else
                std::memcpy(data() + i * 4, &narrow, 4);
        }
    }
};

// Whether the check let it through; then it has been run.
bool is_run(HostileStep& step, const Kernel& kernel, std::vector<Arena>& arenas, std::mt19937& random) {
    std::vector<int64_t> starts(step.views.size());
    for (size_t v = 0; v < step.views.size(); ++v)
        if (!lies_within(step.views[v], &starts[v])) return false;
    Call call = {step.views.data(), step.integers.data(), static_cast<uint32_t>(step.views.size()),
                 static_cast<uint32_t>(step.integers.size()), nullptr};
    const Need need = kernel.check(call);
    if (need.error != nullptr || need.scratch_bytes > 1u << 24) return false;
    if (arenas.size() < step.views.size()) arenas.resize(step.views.size());
    int64_t elements = 1;
    for (size_t v = 0; v < step.views.size(); ++v) {
        Operand& view = step.views[v];
        int64_t count = 1;
        for (uint32_t d = 0; d < view.rank; ++d) count *= view.dims[d];
        elements = std::max(elements, count);
        arenas[v].fill(view, random);
        view.data = arenas[v].data() + starts[v] * (view.type == kFloat64 ? 8 : 4);
    }
    if (elements > 100000) return false;  // it may run, and takes its time
    std::vector<std::byte> memory(need.scratch_bytes + 128, std::byte{0xCD});
    const size_t address = reinterpret_cast<size_t>(memory.data());
    call.scratch = memory.data() + ((address + 63) / 64 * 64 - address);
    kernel.run(call);
    for (size_t v = 0; v < step.views.size(); ++v) CHECK(arenas[v].is_kept(step.views[v]));
    return true;
}

}  // namespace

TEST_CASE("what a check lets through keeps to its memory") {
    std::mt19937 random(31);
    std::vector<Arena> arenas(8);
    for (const KernelTable* table : tables())
        for (uint32_t kernel : {kCopy, kPointwise, kMatmul, kReduce, kFourier, kGather, kCumulative, kOverlapAdd,
                                kRecurrence, kArgument}) {
            int run = 0, refused = 0;
            for (int trial = 0; trial < 800; ++trial) {
                HostileStep step = good_step(kernel, random);
                for (int change = trial % 4; change > 0; --change) corrupt(step, random);
                const bool was_run = is_run(step, table->kernels[kernel], arenas, random);
                (was_run ? run : refused) += 1;
                if (trial % 4 == 0) CHECK(was_run);
            }
            CAPTURE(table->name);
            CAPTURE(table->kernels[kernel].name);
            CHECK(run > 200);
            CHECK(refused > 50);
        }
}

TEST_CASE("a step whose operands don't fit each other is refused, whichever kernel it is of") {
    using Change = std::function<void(HostileStep&)>;
    const auto dims = [](size_t view, int dimension, int32_t value) -> Change {
        return [=](HostileStep& step) { step.views[view].dims[dimension] = value; };
    };
    const auto type = [](size_t view, uint32_t value) -> Change {
        return [=](HostileStep& step) { step.views[view].type = value; };
    };
    const auto integer = [](size_t place, int32_t value) -> Change {
        return [=](HostileStep& step) { step.integers[place] = value; };
    };
    const auto rank = [](size_t view, uint32_t value) -> Change {
        return [=](HostileStep& step) { step.views[view].rank = value; };
    };
    const Change is_constant = [](HostileStep& step) { step.views[0].writable = false; };
    const Change has_more = [](HostileStep& step) { step.views.push_back(step.views[0]); };
    const Change has_less = [](HostileStep& step) { step.views.pop_back(); };
    const Change has_integer = [](HostileStep& step) { step.integers.push_back(1); };
    // 2^31 elements and more, of which all are one and the same.
    const Change is_endless = [](HostileStep& step) {
        for (Operand& view : step.views) view.dims[0] = view.dims[1] = 1 << 16, view.strides[0] = view.strides[1] = 0;
    };
    const std::vector<Change> of_all = {is_constant, has_more,   has_less,  has_integer,
                                        is_endless,  type(0, 2), rank(0, 7)};
    const std::vector<std::pair<uint32_t, std::vector<Change>>> changes = {
        {kCopy, {dims(0, 0, 6), rank(1, 2)}},
        {kMatmul,
         {dims(0, 0, 1), dims(1, 1, 99), dims(2, 2, 99), dims(1, 2, 99), type(0, kFloat64), type(2, kFloat64),
          rank(1, 2)}},
        {kReduce, {dims(0, 0, 99), dims(1, 1, 99), rank(1, 2), integer(0, 5), integer(0, -1)}},
        {kGather, {dims(0, 0, 99), dims(1, 2, 99), dims(1, 1, 0), dims(2, 0, 99), rank(2, 2), rank(2, 0)}},
        {kCumulative, {dims(0, 1, 99), integer(0, 3), integer(0, -1), rank(0, 1)}},
        {kOverlapAdd,
         {dims(0, 1, 1), dims(0, 0, 99), integer(0, 0), integer(0, -3), integer(0, 1 << 30), type(0, kFloat64),
          rank(1, 2)}},
        {kRecurrence,
         {dims(0, 2, 99), dims(1, 0, 99), dims(2, 1, 5), dims(3, 0, 99), dims(3, 1, 99), type(3, kFloat32), rank(1, 2),
          rank(3, 1)}},
        {kArgument, {dims(0, 0, 99), dims(1, 1, 0), integer(0, 2), integer(0, -1), rank(0, 0)}}};
    std::mt19937 random(32);
    for (const auto& [kernel, own] : changes)
        for (const std::vector<Change>* list : {&of_all, &own})
            for (size_t i = 0; i < list->size(); ++i) {
                HostileStep step = good_step(kernel, random);
                if (kernel == kOverlapAdd)
                    step.views[1].dims[1] = 2, step.views[1].dims[2] = 1, step.views[0].dims[1] = 4;
                const auto is_refused = [&] {
                    const Call call = {step.views.data(), step.integers.data(),
                                       static_cast<uint32_t>(step.views.size()),
                                       static_cast<uint32_t>(step.integers.size()), nullptr};
                    return kernel_of(best_kernels(), kernel).check(call).error != nullptr;
                };
                CAPTURE(kernel_of(best_kernels(), kernel).name);
                CAPTURE(i);
                CHECK(!is_refused());
                (*list)[i](step);
                CHECK(is_refused());
            }
}
