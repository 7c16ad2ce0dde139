// The engine's latency arithmetic and its filters, so that they can be held against Python's.
#include <nanobind/nanobind.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "bindings.hpp"
#include "signal/filter_design.hpp"
#include "signal/histogram.hpp"
#include "signal/plan.hpp"

#include "arrays.hpp"

namespace neutone_like {

void bind_fit(nb::module_& module) {
    module.def("choose_rate", &choose_rate, nb::arg("host_rate"), nb::arg("rates"));
    module.def("choose_block", &choose_block, nb::arg("host_block"), nb::arg("sizes"), nb::arg("up"), nb::arg("down"));
    module.def("buffering_numerator", &buffering_numerator, nb::arg("host_block"), nb::arg("model_block"),
               nb::arg("up"), nb::arg("down"));
    module.def("adaptation_latency_samples", &adaptation_latency_samples, nb::arg("up"), nb::arg("down"),
               nb::arg("half_width_in"), nb::arg("half_width_out"), nb::arg("model_delay"), nb::arg("buffering"));
    module.def("first_output_end", &first_output_end, nb::arg("up"), nb::arg("down"), nb::arg("half_width_in"),
               nb::arg("half_width_out"), nb::arg("model_delay"), nb::arg("latency"));
    module.def("blocks_per_callback", &blocks_per_callback, nb::arg("host_block"), nb::arg("model_block"),
               nb::arg("up"), nb::arg("down"));
    module.def("inference_wait_samples", &inference_wait_samples, nb::arg("seconds"), nb::arg("host_block"),
               nb::arg("host_rate"), nb::arg("varying_blocks"));
    module.def(
        "design_filter",
        [](int64_t up, int64_t down, bool fast) {
            const RateFilter filter = design_filter(up, down, fast ? Quality::fast : Quality::high);
            auto table = make_array<float>({static_cast<size_t>(up), static_cast<size_t>(2 * filter.half_width)});
            std::copy(filter.taps.begin(), filter.taps.end(), table.data());
            return table;
        },
        nb::arg("up"), nb::arg("down"), nb::arg("fast"));
    module.def("histogram_bucket_ends_ns", [] {
        auto ends = make_array<uint64_t>({static_cast<size_t>(Histogram::kBuckets)});
        for (int bucket = 0; bucket < Histogram::kBuckets; ++bucket)
            ends.data()[bucket] = Histogram::bucket_end(bucket);
        return ends;
    });
}

}  // namespace neutone_like
