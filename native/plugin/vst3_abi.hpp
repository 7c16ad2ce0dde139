// As much of VST 3's binary interface as the plugin uses: the order of functions, the layouts and the identifiers are what
// hosts expect; the names are our own. For systems whose C++ lays virtual functions out as the Itanium ABI says.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"  // these tables have no room for a destructor
#endif

namespace neutone_like::plugin::vst3 {

using Id = char[16];
using Result = int32_t;
#if defined(_WIN32)  // COM's
enum : Result {
    kOk = 0,
    kFalse = 1,
    kNotImplemented = static_cast<Result>(0x80004001),
    kNoInterface = static_cast<Result>(0x80004002),
    kInvalid = static_cast<Result>(0x80070057)
};
#else
enum : Result { kNoInterface = -1, kOk = 0, kFalse = 1, kInvalid = 2, kNotImplemented = 3 };
#endif

struct Known {
    unsigned char bytes[16];
    bool is(const char* id) const noexcept { return std::memcmp(bytes, id, sizeof bytes) == 0; }
};

// Big-endian; on Windows the first half is laid out as COM has it: a number of 32 bits and two of 16, little-endian.
constexpr Known known(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    Known id{};
    const uint32_t words[] = {a, b, c, d};
    for (int at = 0; at < 16; ++at) {
#if defined(_WIN32)
        constexpr int kPlaces[] = {3, 2, 1, 0, 5, 4, 7, 6};
        const int from = at < 8 ? kPlaces[at] : at;
#else
        const int from = at;
#endif
        id.bytes[at] = static_cast<unsigned char>(words[from / 4] >> (24 - 8 * (from % 4)));
    }
    return id;
}

constexpr Known kUnknownId = known(0x00000000, 0x00000000, 0xC0000000, 0x00000046);
constexpr Known kBaseId = known(0x22888DDB, 0x156E45AE, 0x8358B348, 0x08190625);
constexpr Known kFactoryId = known(0x7A4D811C, 0x52114A1F, 0xAED9D2EE, 0x0B43BF9F);
constexpr Known kFactory2Id = known(0x0007B650, 0xF24B4C0B, 0xA464EDB9, 0xF00B2ABB);
constexpr Known kComponentId = known(0xE831FF31, 0xF2D54301, 0x928EBBEE, 0x25697802);
constexpr Known kAudioProcessorId = known(0x42043F99, 0xB7DA453C, 0xA569E79D, 0x9AAEC33D);
constexpr Known kPlugViewId = known(0x5BC32507, 0xD06049EA, 0xA6151B52, 0x2B755B29);
constexpr Known kContentScaleId = known(0x65ED9690, 0x8AC44525, 0x8AADEF7A, 0x72EA703F);
constexpr Known kRunLoopId = known(0x18C35366, 0x97764F1A, 0x9C5B8385, 0x7A871389);
constexpr Known kTimerHandlerId = known(0x10BDD94F, 0x41424774, 0x821FAD8F, 0xECA72CA9);
constexpr Known kEditControllerId = known(0xDCD7BBE3, 0x7742448D, 0xA874AACC, 0x979C759E);

struct Unknown {
    virtual Result queryInterface(const char* id, void** object) = 0;
    virtual uint32_t addRef() = 0;
    virtual uint32_t release() = 0;
};

// ---- The factory ----

struct FactoryInfo {
    char vendor[64];
    char url[256];
    char email[128];
    int32_t flags;
};
constexpr int32_t kUnicode = 0x10;

struct ClassInfo {
    Id id;
    int32_t cardinality;
    char category[32];
    char name[64];
};
constexpr int32_t kManyInstances = 0x7FFFFFFF;

struct ClassInfo2 {
    Id id;
    int32_t cardinality;
    char category[32];
    char name[64];
    uint32_t flags;
    char subcategories[128];
    char vendor[64];
    char version[64];
    char sdk[64];
};

struct Factory : Unknown {
    virtual Result getFactoryInfo(FactoryInfo* info) = 0;
    virtual int32_t countClasses() = 0;
    virtual Result getClassInfo(int32_t index, ClassInfo* info) = 0;
    virtual Result createInstance(const char* id, const char* interface, void** object) = 0;
    virtual Result getClassInfo2(int32_t index, ClassInfo2* info) = 0;
};

// ---- What a host gives ----

struct Stream : Unknown {
    virtual Result read(void* buffer, int32_t bytes, int32_t* got) = 0;
    virtual Result write(void* buffer, int32_t bytes, int32_t* written) = 0;
    virtual Result seek(int64_t position, int32_t mode, int64_t* result) = 0;
    virtual Result tell(int64_t* position) = 0;
};

struct ValueQueue : Unknown {
    virtual uint32_t getParameterId() = 0;
    virtual int32_t getPointCount() = 0;
    virtual Result getPoint(int32_t index, int32_t* sample, double* value) = 0;
    virtual Result addPoint(int32_t sample, double value, int32_t* index) = 0;
};

struct ParameterChanges : Unknown {
    virtual int32_t getParameterCount() = 0;
    virtual ValueQueue* getParameterData(int32_t index) = 0;
    virtual ValueQueue* addParameterData(const uint32_t& id, int32_t* index) = 0;
};

struct ComponentHandler : Unknown {
    virtual Result beginEdit(uint32_t id) = 0;
    virtual Result performEdit(uint32_t id, double value) = 0;
    virtual Result endEdit(uint32_t id) = 0;
    virtual Result restartComponent(int32_t flags) = 0;
};
constexpr int32_t kParametersChanged = 1 << 2;
constexpr int32_t kLatencyChanged = 1 << 3;
constexpr int32_t kTitlesChanged = 1 << 4;  // and all else that ParameterInfo has

// ---- A plugin ----

enum { kAudio = 0 };
enum { kInput = 0, kOutput = 1 };
constexpr uint64_t kMono = 1u << 19;
constexpr uint64_t kStereo = 3;

struct BusInfo {
    int32_t media;
    int32_t direction;
    int32_t channels;
    char16_t name[128];
    int32_t type;
    uint32_t flags;
};
constexpr uint32_t kDefaultActive = 1;

struct Base : Unknown {
    virtual Result initialize(Unknown* context) = 0;
    virtual Result terminate() = 0;
};

struct Component : Base {
    virtual Result getControllerClassId(char* id) = 0;
    virtual Result setIoMode(int32_t mode) = 0;
    virtual int32_t getBusCount(int32_t media, int32_t direction) = 0;
    virtual Result getBusInfo(int32_t media, int32_t direction, int32_t index, BusInfo* info) = 0;
    virtual Result getRoutingInfo(void* input, void* output) = 0;
    virtual Result activateBus(int32_t media, int32_t direction, int32_t index, uint8_t state) = 0;
    virtual Result setActive(uint8_t state) = 0;
    virtual Result setState(Stream* stream) = 0;
    virtual Result getState(Stream* stream) = 0;
};

struct Setup {
    int32_t mode;
    int32_t sample_size;
    int32_t longest_block;
    double sample_rate;
};
enum { kFloat32 = 0 };

struct BusBuffers {
    int32_t channels;
    uint64_t silence;
    float** rows;
};

struct ProcessData {
    int32_t mode;
    int32_t sample_size;
    int32_t samples;
    int32_t input_count;
    int32_t output_count;
    BusBuffers* inputs;
    BusBuffers* outputs;
    ParameterChanges* input_changes;
    ParameterChanges* output_changes;
    void* input_events;
    void* output_events;
    void* context;
};

struct AudioProcessor : Unknown {
    virtual Result setBusArrangements(uint64_t* inputs, int32_t input_count, uint64_t* outputs,
                                      int32_t output_count) = 0;
    virtual Result getBusArrangement(int32_t direction, int32_t index, uint64_t* arrangement) = 0;
    virtual Result canProcessSampleSize(int32_t size) = 0;
    virtual uint32_t getLatencySamples() = 0;
    virtual Result setupProcessing(Setup* setup) = 0;
    virtual Result setProcessing(uint8_t state) = 0;
    virtual Result process(ProcessData* data) = 0;
    virtual uint32_t getTailSamples() = 0;
};
constexpr uint32_t kEndlessTail = 0xFFFFFFFF;

struct ParameterInfo {
    uint32_t id;
    char16_t title[128];
    char16_t short_title[128];
    char16_t unit[128];
    int32_t steps;
    double default_value;  // 0..1
    int32_t group;
    int32_t flags;
};
enum { kCanAutomate = 1, kIsList = 1 << 3, kIsHidden = 1 << 4, kIsBypass = 1 << 16 };

struct EditController : Base {
    virtual Result setComponentState(Stream* stream) = 0;
    virtual Result setState(Stream* stream) = 0;
    virtual Result getState(Stream* stream) = 0;
    virtual int32_t getParameterCount() = 0;
    virtual Result getParameterInfo(int32_t index, ParameterInfo* info) = 0;
    virtual Result getParamStringByValue(uint32_t id, double value, char16_t* text) = 0;
    virtual Result getParamValueByString(uint32_t id, char16_t* text, double* value) = 0;
    virtual double normalizedParamToPlain(uint32_t id, double value) = 0;
    virtual double plainParamToNormalized(uint32_t id, double plain) = 0;
    virtual double getParamNormalized(uint32_t id) = 0;
    virtual Result setParamNormalized(uint32_t id, double value) = 0;
    virtual Result setComponentHandler(ComponentHandler* handler) = 0;
    virtual void* createView(const char* name) = 0;
};

// ---- A window ----

struct Rect {
    int32_t left, top, right, bottom;
};

struct PlugView;

// What a host gives.
struct PlugFrame : Unknown {
    virtual Result resizeView(PlugView* view, Rect* size) = 0;
};
struct TimerHandler : Unknown {
    virtual void onTimer() = 0;
};
struct RunLoop : Unknown {
    virtual Result registerEventHandler(void* handler, int file) = 0;
    virtual Result unregisterEventHandler(void* handler) = 0;
    virtual Result registerTimer(TimerHandler* handler, uint64_t milliseconds) = 0;
    virtual Result unregisterTimer(TimerHandler* handler) = 0;
};

struct PlugView : Unknown {
    virtual Result isPlatformTypeSupported(const char* type) = 0;
    virtual Result attached(void* parent, const char* type) = 0;
    virtual Result removed() = 0;
    virtual Result onWheel(float distance) = 0;
    virtual Result onKeyDown(char16_t letter, int16_t key, int16_t modifiers) = 0;
    virtual Result onKeyUp(char16_t letter, int16_t key, int16_t modifiers) = 0;
    virtual Result getSize(Rect* size) = 0;
    virtual Result onSize(Rect* size) = 0;
    virtual Result onFocus(uint8_t state) = 0;
    virtual Result setFrame(PlugFrame* frame) = 0;
    virtual Result canResize() = 0;
    virtual Result checkSizeConstraint(Rect* size) = 0;
};

struct ContentScale : Unknown {
    virtual Result setContentScaleFactor(float factor) = 0;
};

}  // namespace neutone_like::plugin::vst3
