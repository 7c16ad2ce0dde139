// Counted times against the sorted values themselves.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "signal/histogram.hpp"

using namespace neutone_like;

TEST_CASE("a bucket holds its values, and is at most 3.2 % wide") {
    for (int bucket = 1; bucket < Histogram::kBuckets - 1; ++bucket) {
        const uint64_t end = Histogram::bucket_end(bucket);
        const uint64_t begin = Histogram::bucket_end(bucket - 1) + 1;
        REQUIRE(Histogram::index(end) == bucket);
        REQUIRE(Histogram::index(begin) == bucket);
        REQUIRE(static_cast<double>(end - begin) <= 0.032 * static_cast<double>(begin));
    }
    CHECK(Histogram::index(~uint64_t{0}) == Histogram::kBuckets - 1);
}

TEST_CASE("percentiles are those of the sorted values, up to a bucket's width; the largest is exact") {
    const auto histogram = std::make_unique<Histogram>();
    std::mt19937_64 random(11);
    std::vector<uint64_t> values;
    for (int i = 0; i < 20000; ++i) {
        values.push_back(static_cast<uint64_t>(std::exp(std::uniform_real_distribution<double>(0.0, 25.0)(random))));
        histogram->add(values.back());
    }
    std::sort(values.begin(), values.end());
    CHECK(histogram->count() == values.size());
    CHECK(histogram->largest() == values.back());
    CHECK(histogram->percentile(1.0) == values.back());
    for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999}) {
        const auto rank = static_cast<size_t>(std::ceil(fraction * static_cast<double>(values.size()))) - 1;
        const auto truth = static_cast<double>(values[rank]);
        CAPTURE(fraction);
        CHECK(static_cast<double>(histogram->percentile(fraction)) >= truth);
        CHECK(static_cast<double>(histogram->percentile(fraction)) <= 1.032 * truth + 1.0);
    }
    histogram->clear();
    CHECK(histogram->count() == 0);
    CHECK(histogram->percentile(0.5) == 0);
}

TEST_CASE("nothing is lost when threads add at once") {
    const auto histogram = std::make_unique<Histogram>();
    std::vector<std::thread> threads;
    for (uint64_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&histogram, thread] {
            for (uint64_t value = 0; value < 5000; ++value) histogram->add_shared(value * 4 + thread);
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(histogram->count() == 20000);
    CHECK(histogram->largest() == 19999);
}
