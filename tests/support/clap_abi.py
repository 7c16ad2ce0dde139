"""CLAP's structs and functions for ctypes, as native/plugin/clap_abi.h has them."""

import ctypes
from ctypes import (
    CFUNCTYPE,
    POINTER,
    c_bool,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

HostExtension = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
HostCall = CFUNCTYPE(None, c_void_p)
HostRescan = CFUNCTYPE(None, c_void_p, c_uint32)
HostClear = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)
HostLog = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)
EventCount = CFUNCTYPE(c_uint32, c_void_p)
EventAt = CFUNCTYPE(c_void_p, c_void_p, c_uint32)
EventPush = CFUNCTYPE(c_bool, c_void_p, c_void_p)
StreamCall = CFUNCTYPE(c_int64, c_void_p, c_void_p, c_uint64)
Bool = CFUNCTYPE(c_bool, c_void_p)
Nothing = CFUNCTYPE(None, c_void_p)
Number = CFUNCTYPE(c_uint32, c_void_p)


def struct(kind: str, /, **fields: Any) -> type[ctypes.Structure]:
    """A struct of C."""
    return type(kind, (ctypes.Structure,), {"_fields_": list(fields.items())})


Version = struct("Version", major=c_uint32, minor=c_uint32, revision=c_uint32)
Host = struct(
    "Host",
    version=Version,
    data=c_void_p,
    **dict.fromkeys(("name", "vendor", "url", "host_version"), c_char_p),
    get_extension=HostExtension,
    request_restart=HostCall,
    request_process=HostCall,
    request_callback=HostCall,
)
HostLatency = struct("HostLatency", changed=HostCall)
HostTail = struct("HostTail", changed=HostCall)
HostState = struct("HostState", mark_dirty=HostCall)
HostParams = struct("HostParams", rescan=HostRescan, clear=HostClear, request_flush=HostCall)
TimerRegister = CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_uint32))
TimerUnregister = CFUNCTYPE(c_bool, c_void_p, c_uint32)
HostTimers = struct("HostTimers", register=TimerRegister, unregister=TimerUnregister)
HostLogging = struct("HostLogging", log=HostLog)
PresetError = CFUNCTYPE(None, c_void_p, c_uint32, c_char_p, c_char_p, c_int32, c_char_p)
PresetLoaded = CFUNCTYPE(None, c_void_p, c_uint32, c_char_p, c_char_p)
HostPresets = struct("HostPresets", on_error=PresetError, loaded=PresetLoaded)
Presets = struct("Presets", from_location=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, c_char_p))
Event = struct("Event", size=c_uint32, time=c_uint32, space=ctypes.c_uint16, type=ctypes.c_uint16, flags=c_uint32)
ParamValue = struct(
    "ParamValue",
    event=Event,
    id=c_uint32,
    cookie=c_void_p,
    note=c_int32,
    port=ctypes.c_int16,
    channel=ctypes.c_int16,
    key=ctypes.c_int16,
    value=c_double,
)
Gesture = struct("Gesture", event=Event, id=c_uint32)
InputEvents = struct("InputEvents", context=c_void_p, size=EventCount, get=EventAt)
OutputEvents = struct("OutputEvents", context=c_void_p, try_push=EventPush)
AudioBuffer = struct(
    "AudioBuffer",
    data32=POINTER(c_void_p),
    data64=c_void_p,
    channels=c_uint32,
    latency=c_uint32,
    constant_mask=c_uint64,
)
Process = struct(
    "Process",
    steady_time=c_int64,
    frames=c_uint32,
    transport=c_void_p,
    inputs=c_void_p,
    outputs=c_void_p,
    input_count=c_uint32,
    output_count=c_uint32,
    in_events=c_void_p,
    out_events=c_void_p,
)
Descriptor = struct(
    "Descriptor",
    version=Version,
    **dict.fromkeys(
        ("id", "name", "vendor", "url", "manual_url", "support_url", "plugin_version", "description"), c_char_p
    ),
    features=POINTER(c_char_p),
)
Plugin = struct(
    "Plugin",
    descriptor=POINTER(Descriptor),
    data=c_void_p,
    init=Bool,
    destroy=Nothing,
    activate=CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32),
    deactivate=Nothing,
    start_processing=Bool,
    stop_processing=Nothing,
    reset=Nothing,
    process=CFUNCTYPE(c_int32, c_void_p, c_void_p),
    get_extension=CFUNCTYPE(c_void_p, c_void_p, c_char_p),
    on_main_thread=Nothing,
)
Factory = struct(
    "Factory",
    count=Number,
    descriptor=CFUNCTYPE(POINTER(Descriptor), c_void_p, c_uint32),
    create=CFUNCTYPE(POINTER(Plugin), c_void_p, c_void_p, c_char_p),
)
Entry = struct(
    "Entry",
    version=Version,
    init=CFUNCTYPE(c_bool, c_char_p),
    deinit=CFUNCTYPE(None),
    get_factory=CFUNCTYPE(c_void_p, c_char_p),
)
PortInfo = struct(
    "PortInfo",
    id=c_uint32,
    name=ctypes.c_char * 256,
    flags=c_uint32,
    channels=c_uint32,
    type=c_char_p,
    in_place_pair=c_uint32,
)
AudioPorts = struct(
    "AudioPorts",
    count=CFUNCTYPE(c_uint32, c_void_p, c_bool),
    get=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_bool, c_void_p),
)
PortsConfig = struct("PortsConfig", count=Number, get=c_void_p, select=CFUNCTYPE(c_bool, c_void_p, c_uint32))
ParamInfo = struct(
    "ParamInfo",
    id=c_uint32,
    flags=c_uint32,
    cookie=c_void_p,
    name=ctypes.c_char * 256,
    module=ctypes.c_char * 1024,
    minimum=c_double,
    maximum=c_double,
    default_value=c_double,
)
Params = struct(
    "Params",
    count=Number,
    get_info=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_void_p),
    get_value=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_void_p),
    value_to_text=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_double, c_void_p, c_uint32),
    text_to_value=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, c_void_p),
    flush=CFUNCTYPE(None, c_void_p, c_void_p, c_void_p),
)
Stream = struct("Stream", context=c_void_p, call=StreamCall)
State = struct("State", save=CFUNCTYPE(c_bool, c_void_p, c_void_p), load=CFUNCTYPE(c_bool, c_void_p, c_void_p))
Samples = struct("Samples", get=Number)

Window = struct("Window", api=c_char_p, parent=ctypes.c_ulong)
Gui = struct(
    "Gui",
    is_api_supported=CFUNCTYPE(c_bool, c_void_p, c_char_p, c_bool),
    get_preferred_api=CFUNCTYPE(c_bool, c_void_p, POINTER(c_char_p), POINTER(c_bool)),
    create=CFUNCTYPE(c_bool, c_void_p, c_char_p, c_bool),
    destroy=Nothing,
    set_scale=CFUNCTYPE(c_bool, c_void_p, c_double),
    get_size=CFUNCTYPE(c_bool, c_void_p, POINTER(c_uint32), POINTER(c_uint32)),
    can_resize=Bool,
    get_resize_hints=CFUNCTYPE(c_bool, c_void_p, c_void_p),
    adjust_size=CFUNCTYPE(c_bool, c_void_p, POINTER(c_uint32), POINTER(c_uint32)),
    set_size=CFUNCTYPE(c_bool, c_void_p, c_uint32, c_uint32),
    set_parent=CFUNCTYPE(c_bool, c_void_p, c_void_p),
    set_transient=CFUNCTYPE(c_bool, c_void_p, c_void_p),
    suggest_title=CFUNCTYPE(None, c_void_p, c_char_p),
    show=Bool,
    hide=Bool,
)
Timer = struct("Timer", on_timer=CFUNCTYPE(None, c_void_p, c_uint32))

Row = POINTER(c_float)
