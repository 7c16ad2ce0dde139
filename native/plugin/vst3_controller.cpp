// VST3: what a host shows and edits.
#include <algorithm>
#include <cstring>
#include <exception>

#include "vst3_plugin.hpp"
#include "vst3_text.hpp"
#include "vst3_view.hpp"

namespace neutone_like::plugin::vst3 {

bool Vst3Plugin::find(uint32_t id, Knob& knob) const {
    const size_t index = content().find(id);
    if (index >= content().knobs.size()) return false;
    knob = (*plugin_.knobs())[index];
    return true;
}

// The component has taken it already: they are one.
Result Vst3Plugin::setComponentState(Stream*) { return kOk; }

int32_t Vst3Plugin::getParameterCount() { return static_cast<int32_t>(content().knobs.size()); }

Result Vst3Plugin::getParameterInfo(int32_t index, ParameterInfo* info) {
    if (index < 0 || index >= getParameterCount() || info == nullptr) return kInvalid;
    const Knob at = (*plugin_.knobs())[static_cast<size_t>(index)];
    *info = {};
    info->id = at.id;
    write_utf16(at.parameter.name, info->title);
    write_utf16(at.parameter.name, info->short_title);
    write_utf16(at.parameter.unit, info->unit);
    info->steps = at.steps();
    info->default_value = at.to_0to1(at.default_value());
    info->flags = kCanAutomate | (at.is_bypass ? kIsBypass : at.steps() > 0 ? kIsList : 0);
    if (at.is_unused) info->flags = kIsHidden;
    return kOk;
}

Result Vst3Plugin::getParamStringByValue(uint32_t id, double value, char16_t* text) {
    Knob at;
    if (text == nullptr || !find(id, at)) return kInvalid;
    write_utf16(at.text(at.from_0to1(value), false), text);
    return kOk;
}

Result Vst3Plugin::getParamValueByString(uint32_t id, char16_t* text, double* value) {
    Knob at;
    double found = 0.0;
    if (text == nullptr || value == nullptr || !find(id, at) || !at.value_of(utf8_of(text), found)) return kFalse;
    *value = at.to_0to1(found);
    return kOk;
}

double Vst3Plugin::normalizedParamToPlain(uint32_t id, double value) {
    Knob at;
    return find(id, at) ? at.plain(at.from_0to1(value)) : value;
}

double Vst3Plugin::plainParamToNormalized(uint32_t id, double plain) {
    Knob at;
    return find(id, at) ? at.to_0to1(at.of_plain(plain)) : plain;
}

double Vst3Plugin::getParamNormalized(uint32_t id) {
    const size_t index = content().find(id);
    return index < content().knobs.size() ? content().knobs[index].to_0to1(plugin_.shown(index)) : 0.0;
}

Result Vst3Plugin::setParamNormalized(uint32_t id, double value) {
    const size_t index = content().find(id);
    if (index >= content().knobs.size()) return kInvalid;
    plugin_.show(index, content().knobs[index].from_0to1(value));
    return kOk;
}

Result Vst3Plugin::setComponentHandler(ComponentHandler* handler) {
    if (handler != nullptr) handler->addRef();
    std::swap(handler_, handler);
    if (handler != nullptr) handler->release();
    return kOk;
}

void* Vst3Plugin::createView(const char* name) {
    if (name == nullptr || std::strcmp(name, "editor") != 0) return nullptr;
    try {
        const double scale = display_scale();
        return scale <= 0.0 ? nullptr : static_cast<PlugView*>(new Vst3View(*this, scale));
    } catch (const std::exception&) {
        return nullptr;
    }
}

void Vst3Plugin::begin(size_t knob) {
    if (handler_ != nullptr) handler_->beginEdit(content().knobs[knob].id);
}

void Vst3Plugin::change(size_t knob, double value) {
    plugin_.show(knob, value);
    if (handler_ != nullptr) handler_->performEdit(content().knobs[knob].id, content().knobs[knob].to_0to1(value));
}

void Vst3Plugin::end(size_t knob) {
    if (handler_ != nullptr) handler_->endEdit(content().knobs[knob].id);
}

void Vst3Plugin::open(const std::string& path) {
    plugin_.open(path);
    tell(kParametersChanged | kTitlesChanged);
}

}  // namespace neutone_like::plugin::vst3
