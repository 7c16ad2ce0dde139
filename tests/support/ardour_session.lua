-- Makes a session with two tracks, "dry" and "wet", records silence on both, and puts plugins on the second one.
-- Before this: folder, rate, block, samples (to record at least), and plugins as a list of {id, format, values, curves}. Values are in
-- 0..1 by the parameter's label; curves are points of automation, {sample, value in 0..1}, by the same.

local backend = AudioEngine:set_backend("None (Dummy)", "", "")
backend:set_device_name("Silence")
backend:set_sample_rate(rate)
backend:set_buffer_size(block)
assert(create_session(folder, "session", rate), "no session")

local function new_track(name)
	local made = Session:new_audio_track(
		2, 2, nil, 1, name, ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true
	)
	local track = made:front()
	track:rec_enable_control():set_value(1, PBD.GroupControlDisposition.NoGroup)
	return track
end

-- Its place among the controls, by which the API's helpers go, and its own number.
local function find(processor, label)
	local plugin, control = processor:to_insert():plugin(0), 0
	for index = 0, plugin:parameter_count() - 1 do
		if plugin:parameter_is_control(index) then
			if plugin:parameter_is_input(index) and plugin:parameter_label(index) == label then
				return control, index
			end
			control = control + 1
		end
	end
	error("no parameter " .. label)
end

new_track("dry")
local wet = new_track("wet")
Session:maybe_enable_record(false)
Session:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
while Session:transport_sample() < samples do
	ARDOUR.LuaAPI.usleep(20000)
end
Session:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
ARDOUR.LuaAPI.usleep(300000)

for place, each in ipairs(plugins) do
	local kind = ARDOUR.PluginType[each.format]
	local processor = ARDOUR.LuaAPI.new_plugin(Session, each.id, kind, "")
	assert(not processor:isnil(), "no plugin " .. each.id)
	assert(wet:add_processor_by_index(processor, place - 1, nil, true) == 0, "not added")
	for label, value in pairs(each.values) do
		local control = find(processor, label)
		local _, _, range = ARDOUR.LuaAPI.plugin_automation(processor, control)
		assert(
			ARDOUR.LuaAPI.set_processor_param(processor, control, range.lower + value * (range.upper - range.lower))
		)
	end
	for label, points in pairs(each.curves) do
		local control, number = find(processor, label)
		local list, _, range = ARDOUR.LuaAPI.plugin_automation(processor, control)
		for _, point in ipairs(points) do
			local place = Temporal.timepos_t(point[1])
			list:add(place, range.lower + point[2] * (range.upper - range.lower), false, true)
		end
		local parameter = Evoral.Parameter(ARDOUR.AutomationType.PluginAutomation, 0, number)
		processor:to_automatable():automation_control(parameter, false):set_automation_state(ARDOUR.AutoState.Play)
	end
end
ARDOUR.LuaAPI.usleep(300000)
Session:save_state("")
close_session()
