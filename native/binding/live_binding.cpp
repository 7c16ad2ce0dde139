// Sound cards, and what is played on them.
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.hpp"
#include "bindings.hpp"
#include "handles.hpp"
#include "live/stream.hpp"

namespace neutone_like {

namespace {

// A sound card's own thread never waits for Python, but closing one waits for the card.
struct LiveHandle {
    explicit LiveHandle(const LivePlan& plan) {
        const GilReleased released;
        stream = std::make_unique<LiveStream>(plan);
    }
    LiveHandle(const LiveHandle&) = delete;
    LiveHandle& operator=(const LiveHandle&) = delete;
    ~LiveHandle() {
        const GilReleased released;
        stream.reset();
    }

    std::unique_ptr<LiveStream> stream;
};

void start(LiveHandle& handle) {
    const GilReleased released;
    handle.stream->start();
}

void close(LiveHandle& handle) {
    const GilReleased released;
    handle.stream->close();
}

// (samples lost before, [samples, channels])
nb::tuple take(Tape& tape, int64_t most) {
    const int64_t wanted = std::min(most, tape.waiting());
    auto memory = make_array<float>({static_cast<size_t>(wanted), static_cast<size_t>(tape.channels())});
    const Tape::Piece piece = tape.read(memory.data(), wanted);
    nb::object array = nb::cast(memory);
    return nb::make_tuple(piece.lost_before, array[nb::slice(nb::int_(0), nb::int_(piece.samples), nb::int_(1))]);
}

void bind_counts(nb::class_<LiveHandle>& handle) {
#define NL_BIND(name) \
    handle.def_prop_ro(#name, [](const LiveHandle& from) { return from.stream->player().counts().name.load(); });
    NL_BIND(callbacks)
    NL_BIND(samples)
    NL_BIND(session_samples)
    NL_BIND(device_xruns)
    NL_BIND(input_overflows)
    NL_BIND(input_underflows)
    NL_BIND(output_underflows)
    NL_BIND(output_overflows)
    NL_BIND(overloads)
    NL_BIND(silent_samples)
    NL_BIND(busy_ns)
    NL_BIND(smallest_block)
    NL_BIND(largest_block)
#undef NL_BIND
}

}  // namespace

void bind_live(nb::module_& module) {
    nb::class_<LiveDevice>(module, "LiveDevice")
        .def_ro("index", &LiveDevice::index)
        .def_prop_ro("name", [](const LiveDevice& device) { return to_text(device.name.c_str()); })
        .def_prop_ro("host_api", [](const LiveDevice& device) { return to_text(device.host_api.c_str()); })
        .def_ro("max_input_channels", &LiveDevice::max_input_channels)
        .def_ro("max_output_channels", &LiveDevice::max_output_channels)
        .def_ro("default_sample_rate", &LiveDevice::default_sample_rate)
        .def_ro("is_default_input", &LiveDevice::is_default_input)
        .def_ro("is_default_output", &LiveDevice::is_default_output);
    module.def("live_devices", [](const std::string& library) {
        const GilReleased released;
        return list_devices(library);
    });

    nb::class_<LivePlan>(module, "LivePlan")
        .def(nb::init<>())
        .def_rw("library", &LivePlan::library)
        .def_rw("input_device", &LivePlan::input_device)
        .def_rw("output_device", &LivePlan::output_device)
        .def_rw("inputs", &LivePlan::inputs)
        .def_rw("outputs", &LivePlan::outputs)
        .def_rw("sample_rate", &LivePlan::sample_rate)
        .def_rw("block_size", &LivePlan::block_size)
        .def_rw("latency_seconds", &LivePlan::latency_seconds)
        .def_rw("input_tape_seconds", &LivePlan::input_tape_seconds)
        .def_rw("output_tape_seconds", &LivePlan::output_tape_seconds)
        .def_rw("output_tape_channels", &LivePlan::output_tape_channels)
        .def_rw("close_limit_seconds", &LivePlan::close_limit_seconds)
        .def_rw("silence_limit_seconds", &LivePlan::silence_limit_seconds)
        .def(
            "set_loop_back",
            [](LivePlan& plan, const AudioIn& sound, int64_t listen_samples) {
                plan.loop_back = to_channels(sound).front();
                plan.loop_back_samples = listen_samples;
            },
            nb::arg("sound").noconvert(), nb::arg("listen_samples"));

    auto handle = nb::class_<LiveHandle>(module, "LiveStream");
    bind_counts(handle);
    handle.def(nb::init<const LivePlan&>())
        .def("start", &start)
        .def("attach", [](LiveHandle& live, const SessionHandle& session) { live.stream->attach(session.session); })
        .def("look_lost", [](LiveHandle& live) { return live.stream->look_lost(); })
        .def("close", &close)
        .def_prop_ro("is_lost", [](const LiveHandle& live) { return live.stream->is_lost(); })
        .def_prop_ro("is_closed", [](const LiveHandle& live) { return live.stream->is_closed(); })
        .def_prop_ro("sample_rate", [](const LiveHandle& live) { return live.stream->sample_rate(); })
        .def_prop_ro("input_latency_seconds",
                     [](const LiveHandle& live) { return live.stream->input_latency_seconds(); })
        .def_prop_ro("output_latency_seconds",
                     [](const LiveHandle& live) { return live.stream->output_latency_seconds(); })
        .def("callback_time_ns", [](const LiveHandle& live) { return to_tuple(live.stream->player().callback_time()); })
        .def("take_input_peak", [](LiveHandle& live) { return live.stream->player().take_input_peak(); })
        .def("take_output_peak", [](LiveHandle& live) { return live.stream->player().take_output_peak(); })
        .def("take_input",
             [](LiveHandle& live, int64_t most) { return take(live.stream->player().input_tape(), most); })
        .def("take_output",
             [](LiveHandle& live, int64_t most) { return take(live.stream->player().output_tape(), most); })
        .def_prop_ro("lost_input_samples",
                     [](const LiveHandle& live) { return live.stream->player().input_tape().lost(); })
        .def_prop_ro("lost_output_samples",
                     [](const LiveHandle& live) { return live.stream->player().output_tape().lost(); })
        .def_prop_ro("loop_back_samples",
                     [](const LiveHandle& live) {
                         return live.stream->player().loop_back().position.load(std::memory_order_acquire);
                     })
        .def("loop_back", [](const LiveHandle& live) {
            const LoopBack& test = live.stream->player().loop_back();
            const auto samples = static_cast<size_t>(test.position.load(std::memory_order_acquire));
            auto heard = make_array<float>({samples});
            std::copy_n(test.heard.data(), samples, heard.data());
            return heard;
        });
}

}  // namespace neutone_like
