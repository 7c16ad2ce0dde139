// What is used of PortAudio's C interface. Its library is opened when a sound card is asked for, so that nothing of it
// is needed to build this. Source: PortAudio's published interface, version 19.
#pragma once

#include <string>

namespace neutone_like::portaudio {

constexpr int kMajorVersion = 19;
constexpr unsigned long kFloat32 = 0x00000001;
constexpr unsigned long kNonInterleaved = 0x80000000;
constexpr unsigned long kHostsBlock = 0;  // paFramesPerBufferUnspecified

// What a callback is told of itself.
constexpr unsigned long kInputUnderflow = 0x01;
constexpr unsigned long kInputOverflow = 0x02;
constexpr unsigned long kOutputUnderflow = 0x04;
constexpr unsigned long kOutputOverflow = 0x08;

// PaErrorCode, those that have an answer of their own.
constexpr int kUnanticipatedHostError = -9999;
constexpr int kInvalidChannelCount = -9998;
constexpr int kInvalidSampleRate = -9997;
constexpr int kInsufficientMemory = -9992;
constexpr int kDeviceUnavailable = -9985;

struct HostApiInfo {
    int struct_version;
    int type;
    const char* name;
    int device_count;
    int default_input_device;
    int default_output_device;
};

struct DeviceInfo {
    int struct_version;
    const char* name;
    int host_api;
    int max_input_channels;
    int max_output_channels;
    double default_low_input_latency;
    double default_low_output_latency;
    double default_high_input_latency;
    double default_high_output_latency;
    double default_sample_rate;
};

struct StreamParameters {
    int device;
    int channel_count;
    unsigned long sample_format;
    double suggested_latency;
    void* host_api_specific;
};

struct StreamInfo {
    int struct_version;
    double input_latency;
    double output_latency;
    double sample_rate;
};

struct HostErrorInfo {
    int host_api_type;
    long error_code;
    const char* error_text;
};

struct CallbackTimes;
using Stream = void;
using Callback = int(const void* input, void* output, unsigned long frames, const CallbackTimes* times,
                     unsigned long flags, void* user);

// The library and its functions. It stays loaded and started until the process ends: stopping it aborts the process where
// a sound server has died meanwhile.
struct Library {
    // The one at `path`, which is started the first time. Throws EngineError.
    static const Library& at(const std::string& path);

    int (*version)();
    const char* (*version_text)();
    const char* (*error_text)(int error);
    const HostErrorInfo* (*last_host_error)();
    int (*initialise)();
    const HostApiInfo* (*host_api)(int index);
    int (*device_count)();
    const DeviceInfo* (*device)(int index);
    int (*default_input)();
    int (*default_output)();
    int (*open)(Stream**, const StreamParameters* input, const StreamParameters* output, double rate,
                unsigned long frames, unsigned long flags, Callback* callback, void* user);
    int (*start)(Stream*);
    int (*stop)(Stream*);
    int (*close)(Stream*);
    const StreamInfo* (*stream_info)(Stream*);

    // "Invalid sample rate (PortAudio -9997)", with the host's own words where it has some.
    std::string words(int error) const;

private:
    explicit Library(const std::string& path);
};

}  // namespace neutone_like::portaudio
