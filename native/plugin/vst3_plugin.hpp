// An instance of the plugin in a VST3 host: component and controller in one.
#pragma once

#include <atomic>

#include "plugin.hpp"
#include "vst3_abi.hpp"
#include "window/edits.hpp"

namespace neutone_like::plugin::vst3 {

class Vst3Plugin final : public Component, public AudioProcessor, public EditController, public Edits {
public:
    Vst3Plugin() : plugin_(content()) {}
    virtual ~Vst3Plugin() = default;

    Result queryInterface(const char* id, void** object) override;
    uint32_t addRef() override { return ++references_; }
    uint32_t release() override;

    Result initialize(Unknown* context) override;
    Result terminate() override;

    Result getControllerClassId(char* id) override;
    Result setIoMode(int32_t mode) override;
    int32_t getBusCount(int32_t media, int32_t direction) override;
    Result getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo* info) override;
    Result getRoutingInfo(void* input, void* output) override;
    Result activateBus(int32_t media, int32_t direction, int32_t index, uint8_t state) override;
    Result setActive(uint8_t state) override;
    Result setState(Stream* stream) override;
    Result getState(Stream* stream) override;

    Result setBusArrangements(uint64_t* inputs, int32_t input_count, uint64_t* outputs, int32_t output_count) override;
    Result getBusArrangement(int32_t direction, int32_t index, uint64_t* arrangement) override;
    Result canProcessSampleSize(int32_t size) override;
    uint32_t getLatencySamples() override;
    Result setupProcessing(Setup* setup) override;
    Result setProcessing(uint8_t state) override;
    Result process(ProcessData* data) override;
    uint32_t getTailSamples() override;

    Result setComponentState(Stream* stream) override;
    int32_t getParameterCount() override;
    Result getParameterInfo(int32_t index, ParameterInfo* info) override;
    Result getParamStringByValue(uint32_t id, double value, char16_t* text) override;
    Result getParamValueByString(uint32_t id, char16_t* text, double* value) override;
    double normalizedParamToPlain(uint32_t id, double value) override;
    double plainParamToNormalized(uint32_t id, double plain) override;
    double getParamNormalized(uint32_t id) override;
    Result setParamNormalized(uint32_t id, double value) override;
    Result setComponentHandler(ComponentHandler* handler) override;
    void* createView(const char* name) override;

    // A hand in the window: the host hears of it, and has it heard.
    void begin(size_t knob) override;
    void change(size_t knob, double value) override;
    void end(size_t knob) override;
    void open(const std::string& path) override;

    Plugin& plugin() noexcept { return plugin_; }

private:
    bool find(uint32_t id, Knob& knob) const;  // as the model that plays has it
    void prepare();
    void tell(int32_t changes);
    void play(const ProcessData& data, int from, int to) noexcept;
    int take_changes(ParameterChanges* changes, int from) noexcept;

    std::atomic<uint32_t> references_{1};
    Plugin plugin_;
    Layout layout_ = content().layouts.front();
    Setup setup_{0, kFloat32, 0, 0.0};
    uint32_t told_latency_ = 0;
    ComponentHandler* handler_ = nullptr;
};

}  // namespace neutone_like::plugin::vst3
