// The windowed-sinc filter behind every rate conversion: the numbers of Python's signal/filter_design.py.
#pragma once

#include <cstdint>

#include "signal/config.hpp"

namespace neutone_like {

// high: at most 64 samples of the slower rate of delay each way; fast: 32 of them, and less of the treble.
enum class Quality { high, fast };

// Half the filter's length in its own input samples: a whole number, so that every delay stays rational.
int64_t half_width_samples(int64_t up, int64_t down, Quality quality);

// The filter of an `up / down` conversion, in lowest terms. Row r holds the taps for an output whose window ends r / up
// of an input sample before its last input, oldest input first; every row sums to 1.
// Throws EngineError where the table would be too large to use.
RateFilter design_filter(int64_t up, int64_t down, Quality quality);

}  // namespace neutone_like
