// What recurrent layers share: h[t] = cell(bias + input weights x[t] + hidden weights h[t - 1]), one step after the other.
//
// A cell says how many gates there are (kGates: columns of weights, P apart) and sums (kSums: one for each gate, but where
// a gate takes its input's and its hidden part separately), where a gate's parts go (input_sum, hidden_sum), and in
// `finish` what one vector of the new h is.
//
// With few units all sums of a step stay in registers: what a step takes then is the way from one h to the next. With many
// they go through memory, and a step takes the time in which the weights arrive.
#pragma once

#include "kernels/isa/activations.hpp"
#include "kernels/isa/byte_dots.hpp"
#include "kernels/isa/operands.hpp"
#include "kernels/isa/partial.hpp"
#include "kernels/isa/short_weights.hpp"
#include "kernels/isa/transpose.hpp"

namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS {

constexpr int32_t kStepsAtOnce = 16;       // between two looks at the inputs and outputs
constexpr int32_t kUnitsInRegisters = 64;  // beyond, sums go through memory
constexpr int32_t kUnitsInCache = 48;      // beyond, weights come in whole lines of the second cache
constexpr int32_t kRowsAtOnce = 8;

// What undoes the factor that weights of tanh's gates carry, -2 log2(e).
constexpr double kGateUnit = -0.5 / 1.4426950408889634;

// How many vectors of a cell's units fit the registers with all of their sums, and into how many sums each is split so that
// none waits for the one before.
constexpr int most_unit_vectors(int sums) {
    const int most = (kRegisters - 4) / sums;
    return most < 4 ? most : 4;
}
constexpr int splits_of(int sums) {
    const int splits = (kRegisters / 2) / sums;
    return splits < 1 ? 1 : splits < 4 ? splits : 4;
}

template <typename Cell>
struct Recurrent {
    Cell cell;
    int32_t units, padded, inputs;
    const float *hidden, *input;             // weights
    int32_t hidden_form, input_form;         // of them
    ShortWeights short_hidden, short_input;  // where they are no floats
    const float* begin;                      // [kSums][padded]: what a step's sums begin with
    ptrdiff_t begin_stride;                  // from one step to the next
    const float* x;
    ptrdiff_t x_step, x_stride;
    float* sums;  // [kSums][padded]
    float* room;  // for digits
    bool dots;    // whether bytes are multiplied four at a time
};

// kVectors vectors of units, from unit `first` on.
template <typename Cell, int kVectors>
NEUTONE_LIKE_INLINE void recurrent_units(const Recurrent<Cell>& layer, const float* begin, const float* x,
                                         const float* previous, float* next, int32_t first) {
    constexpr int kSums = Cell::kSums, kSplits = splits_of(kSums * kVectors);
    const ptrdiff_t padded = layer.padded, row = Cell::kGates * padded;
    Floats sums[kSplits][kSums][kVectors] = {};
    NEUTONE_LIKE_UNROLL for (int s = 0; s < kSums; ++s) {
        NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) sums[0][s][v] =
            load(begin + s * padded + first + v * kLanes);
    }
    const float* weights = layer.input + first;
    for (int32_t i = 0; i < layer.inputs; ++i, weights += row) {
        const Floats value = splat(x[i * layer.x_stride]);
        NEUTONE_LIKE_UNROLL for (int g = 0; g < Cell::kGates; ++g) {
            NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
                sums[0][Cell::input_sum(g)][v] += value * load(weights + g * padded + v * kLanes);
            }
        }
    }
    weights = layer.hidden + first;
    int32_t j = 0;
    for (; j + kSplits <= layer.units; j += kSplits) {
        NEUTONE_LIKE_UNROLL for (int u = 0; u < kSplits; ++u, weights += row) {
            const Floats value = splat(previous[j + u]);
            NEUTONE_LIKE_UNROLL for (int g = 0; g < Cell::kGates; ++g) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
                    sums[u][Cell::hidden_sum(g)][v] += value * load(weights + g * padded + v * kLanes);
                }
            }
        }
    }
    if constexpr (kSplits > 1) {
        for (; j < layer.units; ++j, weights += row) {
            const Floats value = splat(previous[j]);
            NEUTONE_LIKE_UNROLL for (int g = 0; g < Cell::kGates; ++g) {
                NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
                    sums[0][Cell::hidden_sum(g)][v] += value * load(weights + g * padded + v * kLanes);
                }
            }
        }
    }
    NEUTONE_LIKE_UNROLL for (int v = 0; v < kVectors; ++v) {
        Floats total[kSums];
        NEUTONE_LIKE_UNROLL for (int s = 0; s < kSums; ++s) {
            total[s] = sums[0][s][v];
            if constexpr (kSplits == 2) total[s] += sums[1][s][v];
            if constexpr (kSplits == 3) total[s] += sums[1][s][v] + sums[2][s][v];
            if constexpr (kSplits == 4) total[s] = (total[s] + sums[1][s][v]) + (sums[2][s][v] + sums[3][s][v]);
        }
        const int32_t unit = first + v * kLanes;
        store(next + unit, layer.cell.finish(total, load(previous + unit), unit));
    }
}

// All units of one step in registers.
template <typename Cell, int kVectors>
NEUTONE_LIKE_ALONE static void recurrent_steps(const Recurrent<Cell>& layer, int32_t steps, const float* previous,
                                               float* next, ptrdiff_t next_step) {
    const float *begin = layer.begin, *x = layer.x;
    for (int32_t t = 0; t < steps; ++t, begin += layer.begin_stride, x += layer.x_step) {
        recurrent_units<Cell, kVectors>(layer, begin, x, previous, next, 0);
        previous = next;
        next += next_step;
    }
}

// A few vectors of units after the other.
template <typename Cell>
NEUTONE_LIKE_ALONE static void recurrent_steps_in_parts(const Recurrent<Cell>& layer, int32_t steps,
                                                        const float* previous, float* next, ptrdiff_t next_step) {
    constexpr int kMost = most_unit_vectors(Cell::kSums);
    const int32_t most = layer.units <= kUnitsInCache ? kMost : 2;
    const float *begin = layer.begin, *x = layer.x;
    for (int32_t t = 0; t < steps; ++t, begin += layer.begin_stride, x += layer.x_step) {
        int32_t vectors = (layer.units + kLanes - 1) / kLanes;
        for (int32_t unit = 0, width; vectors > 0; vectors -= width, unit += width * kLanes) {
            width = column_width(vectors, most);
            if (width == 1) recurrent_units<Cell, 1>(layer, begin, x, previous, next, unit);
            if (width == 2) recurrent_units<Cell, 2>(layer, begin, x, previous, next, unit);
            if constexpr (kMost > 2) {
                if (width == 3) recurrent_units<Cell, 3>(layer, begin, x, previous, next, unit);
            }
            if constexpr (kMost > 3) {
                if (width == 4) recurrent_units<Cell, 4>(layer, begin, x, previous, next, unit);
            }
        }
        previous = next;
        next += next_step;
    }
}

// sums[columns] += weights[rows][columns], each row times its value.
static void add_rows(float* sums, int32_t columns, const float* weights, ptrdiff_t row, const float* values,
                     ptrdiff_t stride, int32_t rows) {
    for (; rows >= kRowsAtOnce; rows -= kRowsAtOnce, weights += kRowsAtOnce * row, values += kRowsAtOnce * stride) {
        Floats value[kRowsAtOnce];
        NEUTONE_LIKE_UNROLL for (int u = 0; u < kRowsAtOnce; ++u) value[u] = splat(values[u * stride]);
        for (int32_t column = 0; column < columns; column += kLanes) {
            // Eight rows are added up by themselves: beside the sum of all rows each would be rounded more.
            Floats even = value[0] * load(weights + column), odd = value[1] * load(weights + row + column);
            NEUTONE_LIKE_UNROLL for (int u = 2; u < kRowsAtOnce; u += 2) {
                even += value[u] * load(weights + u * row + column);
                odd += value[u + 1] * load(weights + (u + 1) * row + column);
            }
            store(sums + column, load(sums + column) + (even + odd));
        }
    }
    for (; rows > 0; --rows, weights += row, values += stride) {
        const Floats value = splat(*values);
        for (int32_t column = 0; column < columns; column += kLanes) {
            store(sums + column, load(sums + column) + value * load(weights + column));
        }
    }
}

// What a step's weights are multiplied by: floats, and their digits where weights are whole numbers.
struct Factors {
    const float* values;
    ptrdiff_t stride;
    int32_t rows;
    bool has_digits, has_dots;
    Digits digits;
    DotDigits dots;
};

constexpr int32_t kRoomOfDigits = 3;  // floats for each value

NEUTONE_LIKE_INLINE Factors factors_of(int32_t form, const ShortWeights& in_short, const float* values,
                                       ptrdiff_t stride, int32_t rows, float* room, bool dots) {
    Factors factors = {values, stride, rows, false, false, {}, {}};
    if (form != kByteWeights && form != kWideWeights) return factors;
    if (dots && (in_short.group % kQuad == 0 || in_short.group >= rows)) {
        factors.has_dots = dot_digits_of(factors.dots, room, values, stride, rows);
        return factors;
    }
    const ptrdiff_t whole = round_up(rows, kVectorFloats);
    factors.digits.high = reinterpret_cast<int16_t*>(room + whole);
    factors.digits.low = factors.digits.high + whole;
    factors.has_digits = digits_of(factors.digits, room, values, stride, rows);
    return factors;
}

// sums[0..end - first) += columns `first` to `end` of weights in any form.
NEUTONE_LIKE_INLINE void add_weighted(float* sums, int32_t first, int32_t end, int32_t form, const float* weights,
                                      ptrdiff_t row, const ShortWeights& in_short, const Factors& by) {
    if (form == kFloatWeights) {
        add_rows(sums, end - first, weights + first, row, by.values, by.stride, by.rows);
    } else if (form == kHalfWeights) {
        add_half_columns(sums, in_short, first, end, by.values, by.stride);
    } else if (by.has_dots) {
        add_dot_columns(sums, in_short, first, end, by.dots);
    } else if (by.has_digits && form == kByteWeights) {
        add_whole_columns<int8_t>(sums, in_short, first, end, by.digits);
    } else if (by.has_digits) {
        add_whole_columns<int16_t>(sums, in_short, first, end, by.digits);
    } else if (form == kByteWeights) {
        add_whole_slowly<int8_t>(sums, in_short, first, end, by.values, by.stride);
    } else {
        add_whole_slowly<int16_t>(sums, in_short, first, end, by.values, by.stride);
    }
}

// The gates' sums go through memory.
template <typename Cell>
NEUTONE_LIKE_ALONE static void recurrent_steps_in_memory(const Recurrent<Cell>& layer, int32_t steps,
                                                         const float* previous, float* next, ptrdiff_t next_step) {
    constexpr int kSums = Cell::kSums;
    const ptrdiff_t padded = layer.padded, row = Cell::kGates * padded;
    const float *begin = layer.begin, *x = layer.x;
    for (int32_t t = 0; t < steps; ++t, begin += layer.begin_stride, x += layer.x_step) {
        for (int32_t i = 0; i < kSums * layer.padded; i += kLanes) store(layer.sums + i, load(begin + i));
        const Factors of_inputs =
            factors_of(layer.input_form, layer.short_input, x, layer.x_stride, layer.inputs, layer.room, layer.dots);
        // Sums that are not next to each other as their weights are begin a new run.
        for (int g = 0, end; g < Cell::kGates; g = end) {
            for (end = g + 1; end < Cell::kGates && Cell::input_sum(end) == Cell::input_sum(end - 1) + 1;) ++end;
            add_weighted(layer.sums + Cell::input_sum(g) * padded, g * layer.padded, end * layer.padded,
                         layer.input_form, layer.input, row, layer.short_input, of_inputs);
        }
        const Factors of_units =
            factors_of(layer.hidden_form, layer.short_hidden, previous, 1, layer.units, layer.room, layer.dots);
        for (int g = 0, end; g < Cell::kGates; g = end) {
            for (end = g + 1; end < Cell::kGates && Cell::hidden_sum(end) == Cell::hidden_sum(end - 1) + 1;) ++end;
            add_weighted(layer.sums + Cell::hidden_sum(g) * padded, g * layer.padded, end * layer.padded,
                         layer.hidden_form, layer.hidden, row, layer.short_hidden, of_units);
        }
        for (int32_t unit = 0; unit < layer.units; unit += kLanes) {
            Floats total[kSums];
            NEUTONE_LIKE_UNROLL for (int s = 0; s < kSums; ++s) total[s] = load(layer.sums + s * padded + unit);
            store(next + unit, layer.cell.finish(total, load(previous + unit), unit));
        }
        previous = next;
        next += next_step;
    }
}

template <typename Cell>
NEUTONE_LIKE_INLINE void play_steps(const Recurrent<Cell>& layer, int32_t steps, const float* previous, float* next,
                                    ptrdiff_t next_step) {
    constexpr int kMost = most_unit_vectors(Cell::kSums);
    if (layer.hidden_form != kFloatWeights || layer.input_form != kFloatWeights) {
        return recurrent_steps_in_memory(layer, steps, previous, next, next_step);
    }
    const int32_t vectors = (layer.units + kLanes - 1) / kLanes;
    if (vectors == 1) return recurrent_steps<Cell, 1>(layer, steps, previous, next, next_step);
    if (vectors == 2) return recurrent_steps<Cell, 2>(layer, steps, previous, next, next_step);
    if (vectors == 3 && kMost >= 3) {
        return recurrent_steps<Cell, kMost >= 3 ? 3 : 1>(layer, steps, previous, next, next_step);
    }
    if (vectors == 4 && kMost >= 4) {
        return recurrent_steps<Cell, kMost >= 4 ? 4 : 1>(layer, steps, previous, next, next_step);
    }
    if (layer.units <= kUnitsInRegisters) return recurrent_steps_in_parts(layer, steps, previous, next, next_step);
    recurrent_steps_in_memory(layer, steps, previous, next, next_step);
}

NEUTONE_LIKE_INLINE int32_t padded_units(int32_t units) { return static_cast<int32_t>(round_up(units, kVectorFloats)); }

// Which of a layer's weights a block makes longer ones in scratch memory before its steps.
struct Prepared {
    bool halves[2], bytes[2];  // of the units, of the inputs: to floats, to 16 bits
};

template <bool kDots>
NEUTONE_LIKE_INLINE Prepared prepared(const Call& call, uint32_t own, int32_t samples, int64_t units, int64_t inputs,
                                      int64_t columns) {
    Prepared result = {};
    if (call.integer_count == own || samples < kFewestExpanded) return result;
    const int32_t hidden = call.integers[own], input = call.integers[own + 2];
    result.halves[0] = is_expanded(hidden);
    result.halves[1] = is_expanded(input);
    const int64_t widened = widened_bytes(hidden, units, columns) + widened_bytes(input, inputs, columns);
    if (kDots || widened > kMostWidened) return result;
    result.bytes[0] = hidden == kByteWeights;
    result.bytes[1] = input == kByteWeights;
    return result;
}

// Views: out [T, H], x [T, I], as many states [H] as there are, weights. The kernel has `own` integers.
template <typename Cell, bool kDots>
static Need recurrent_check(const Call& call, const char* shape, uint32_t own) {
    constexpr uint32_t kWeights = 2 + Cell::kStates;
    if (call.view_count != kWeights + 1) return {shape, 0};
    const Operand &out = call.views[0], &x = call.views[1];
    if (!out.writable || !are_floats(out, 2) || !are_floats(x, 2) || out.dims[0] != x.dims[0]) return {shape, 0};
    const int64_t units = out.dims[1], padded = round_up(units, kVectorFloats);
    for (uint32_t i = 2; i < kWeights; ++i) {
        if (!call.views[i].writable || !is_array(call.views[i], units)) return {"a state for each unit", 0};
    }
    const int64_t columns = times(padded, Cell::kGates), biases = times(padded, Cell::kSums);
    const int64_t hidden = stored_weights(call, own, 0, nullptr, units, columns).floats;
    const int64_t input = stored_weights(call, own, 1, nullptr, x.dims[1], columns).floats;
    if (units < 1 || hidden < 0 || input < 0 || biases < 0 ||
        !is_array(call.views[kWeights], hidden + input + biases)) {
        return {"a weight and a bias for each unit's gates", 0};
    }
    const int64_t rows_of_scratch = 2 + kStepsAtOnce + Cell::kSums;  // h, c, the last steps, sums
    const int64_t factors = x.dims[1] > units ? x.dims[1] : units;
    int64_t room = 0;
    if (call.integer_count != own) {
        room = kRoomOfDigits * round_up(factors, kVectorFloats);
        const Prepared made = prepared<kDots>(call, own, out.dims[0], units, x.dims[1], columns);
        for (int which = 0; which < 2; ++which) {
            const int64_t rows = which == 0 ? units : x.dims[1];
            if (made.halves[which]) room += times(which == 0 ? rows + 1 : rows, columns);
            if (made.bytes[which]) room += widened_bytes(kByteWeights, rows, columns) / 4;
        }
    }
    return {nullptr, static_cast<uint64_t>(rows_of_scratch * padded + room) * sizeof(float)};
}

NEUTONE_LIKE_INLINE void load_state(float* to, const Operand& state, int32_t padded) {
    const int32_t units = state.dims[0];
    for (int32_t i = 0; i < units; ++i) to[i] = state.floats()[i];
    for (int32_t i = units; i < padded; ++i) to[i] = 0.0f;
}

NEUTONE_LIKE_INLINE void store_state(const Operand& state, const float* from) {
    for (int32_t i = 0; i < state.dims[0]; ++i) state.floats()[i] = from[i];
}

// out[t, unit] for some steps; history [steps][padded].
static void store_steps(float* out, ptrdiff_t step, ptrdiff_t stride, const float* history, int32_t padded,
                        int32_t steps, int32_t units) {
    if (stride != 1) return to_rows_of_time(out, stride, history, 1, padded, units, steps);
    for (int32_t t = 0; t < steps; ++t, out += step, history += padded) {
        int32_t unit = 0;
        for (; unit + kLanes <= units; unit += kLanes) store(out + unit, load(history + unit));
        for (; unit < units; ++unit) out[unit] = history[unit];
    }
}

// Makes bytes 16 bits each; the place behind them.
NEUTONE_LIKE_INLINE float* widen(ShortWeights& in_short, int32_t& form, float* to) {
    widen_bytes(reinterpret_cast<int16_t*>(to), in_short);
    in_short.panels = to;
    form = kWideWeights;
    return to + round_up(in_short.rows, 2) * in_short.columns / 2;
}

// `state`: c where there is one; the cell has a pointer to it. The kernel has `own` integers.
template <bool kDots, typename Cell>
NEUTONE_LIKE_INLINE void recurrent_run(const Call& call, Cell cell, uint32_t own) {
    const Operand &out = call.views[0], &x = call.views[1], &h = call.views[2];
    const int32_t samples = out.dims[0], units = out.dims[1], padded = padded_units(units);
    float* scratch = static_cast<float*>(call.scratch);
    float *first = scratch, *c = first + padded, *history = c + padded, *sums = history + kStepsAtOnce * padded;
    load_state(first, h, padded);
    if constexpr (Cell::kStates == 2) {
        load_state(c, call.views[3], padded);
        cell.c = c;
    }
    Recurrent<Cell> layer;
    layer.cell = cell;
    layer.units = units;
    layer.padded = padded;
    layer.inputs = x.dims[1];
    layer.hidden = call.views[2 + Cell::kStates].floats();
    const int32_t columns = Cell::kGates * padded;
    const StoredWeights of_units = stored_weights(call, own, 0, layer.hidden, units, columns);
    layer.hidden_form = of_units.form;
    layer.short_hidden = of_units.in_short;
    layer.input = layer.hidden + of_units.floats;
    const StoredWeights of_inputs = stored_weights(call, own, 1, layer.input, layer.inputs, columns);
    layer.input_form = of_inputs.form;
    layer.short_input = of_inputs.in_short;
    layer.begin = layer.input + of_inputs.floats;
    layer.begin_stride = 0;
    layer.x = x.floats();
    layer.x_step = x.strides[0];
    layer.x_stride = x.strides[1];
    layer.sums = sums;
    layer.room = sums + Cell::kSums * padded;
    layer.dots = kDots;
    float* free = layer.room + kRoomOfDigits * round_up(layer.inputs > units ? layer.inputs : units, kVectorFloats);
    const Prepared made = prepared<kDots>(call, own, samples, units, layer.inputs, columns);
    if (made.halves[0]) {
        expand_halves(free, layer.short_hidden);
        layer.hidden = free;
        layer.hidden_form = kFloatWeights;
        free += units * static_cast<ptrdiff_t>(columns);
        for (int32_t i = 0; i < columns; ++i) *free++ = 0.0f;
    }
    if (made.halves[1]) {
        expand_halves(free, layer.short_input);
        layer.input = free;
        layer.input_form = kFloatWeights;
        free += layer.inputs * static_cast<ptrdiff_t>(columns);
    }
    if (made.bytes[0]) free = widen(layer.short_hidden, layer.hidden_form, free);
    if (made.bytes[1]) widen(layer.short_input, layer.input_form, free);
    const ptrdiff_t step = out.strides[0];
    const int32_t written = (units + kLanes - 1) / kLanes * kLanes;
    const float* previous = first;
    if (out.strides[1] == 1 && step >= written && (written == units || (out.flags & kPadded) != 0)) {
        play_steps(layer, samples, previous, out.floats(), step);
        if (samples > 0) previous = out.floats() + (samples - 1) * step;
    } else {
        for (int32_t t = 0; t < samples; t += kStepsAtOnce, layer.x += kStepsAtOnce * layer.x_step) {
            const int32_t steps = samples - t < kStepsAtOnce ? samples - t : kStepsAtOnce;
            play_steps(layer, steps, previous, history, padded);
            store_steps(out.floats() + t * step, step, out.strides[1], history, padded, steps, units);
            for (int32_t i = 0; i < padded; i += kLanes) store(first + i, load(history + (steps - 1) * padded + i));
        }
    }
    store_state(h, previous);
    if constexpr (Cell::kStates == 2) store_state(call.views[3], c);
}

}  // namespace neutone_like::compiled::inline NEUTONE_LIKE_KERNELS
