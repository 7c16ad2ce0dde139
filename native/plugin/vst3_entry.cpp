// VST3: what a host finds in the file.
#include <cstring>
#include <exception>
#include <string>

#include "content.hpp"
#include "exported.hpp"
#include "text.hpp"
#include "vst3_plugin.hpp"

namespace neutone_like::plugin::vst3 {

namespace {

constexpr const char* kCategory = "Audio Module Class";

template <size_t room>
void write(const std::string& text, char (&out)[room]) {
    write_text(text, out, room);
}

int digit(char letter) { return letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10; }

void write_id(char* id) {
    const std::string& hex = content().identity.uid;
    uint32_t words[4] = {};
    for (size_t at = 0; at < 32 && hex.size() == 32; ++at) {
        words[at / 8] = words[at / 8] << 4 | static_cast<uint32_t>(digit(hex[at]));
    }
    std::memcpy(id, known(words[0], words[1], words[2], words[3]).bytes, sizeof(Id));
}

bool is_ours(const char* id) {
    Id own;
    write_id(own);
    return std::memcmp(own, id, sizeof own) == 0;
}

// One for the process; nothing is counted.
class OurFactory final : public Factory {
public:
    Result queryInterface(const char* id, void** object) override {
        const bool known = kUnknownId.is(id) || kFactoryId.is(id) || kFactory2Id.is(id);
        *object = known ? this : nullptr;
        return known ? kOk : kNoInterface;
    }
    uint32_t addRef() override { return 1; }
    uint32_t release() override { return 1; }

    Result getFactoryInfo(FactoryInfo* info) override {
        if (info == nullptr) return kInvalid;
        *info = {};
        write(content().identity.vendor, info->vendor);
        info->flags = kUnicode;
        return kOk;
    }

    int32_t countClasses() override { return 1; }

    Result getClassInfo(int32_t index, ClassInfo* info) override {
        if (index != 0 || info == nullptr) return kInvalid;
        *info = {};
        write_id(info->id);
        info->cardinality = kManyInstances;
        write(kCategory, info->category);
        write(content().identity.name, info->name);
        return kOk;
    }

    Result getClassInfo2(int32_t index, ClassInfo2* info) override {
        if (index != 0 || info == nullptr) return kInvalid;
        *info = {};
        write_id(info->id);
        info->cardinality = kManyInstances;
        write(kCategory, info->category);
        write(content().identity.name, info->name);
        write("Fx", info->subcategories);
        write(content().identity.vendor, info->vendor);
        write(content().identity.version, info->version);
        write("VST 3.7", info->sdk);
        return kOk;
    }

    Result createInstance(const char* id, const char* interface, void** object) override {
        if (id == nullptr || interface == nullptr || object == nullptr || !is_ours(id)) return kNoInterface;
        try {
            auto* made = new Vst3Plugin;
            const Result result = made->queryInterface(interface, object);
            made->release();
            return result;
        } catch (const std::exception&) {
            return kFalse;
        }
    }
};

}  // namespace

}  // namespace neutone_like::plugin::vst3

extern "C" {

// Each system has names of its own for the same.
#if defined(_WIN32)
NEUTONE_LIKE_EXPORTED bool InitDll(void) { return true; }
NEUTONE_LIKE_EXPORTED bool ExitDll(void) { return true; }
#elif defined(__APPLE__)
NEUTONE_LIKE_EXPORTED bool bundleEntry(void*) { return true; }
NEUTONE_LIKE_EXPORTED bool bundleExit(void) { return true; }
#else
NEUTONE_LIKE_EXPORTED bool ModuleEntry(void*) { return true; }
NEUTONE_LIKE_EXPORTED bool ModuleExit(void) { return true; }
#endif
NEUTONE_LIKE_EXPORTED void* GetPluginFactory(void) {
    static neutone_like::plugin::vst3::OurFactory factory;
    return static_cast<neutone_like::plugin::vst3::Factory*>(&factory);
}
}
