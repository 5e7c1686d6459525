-- Lists the processes that run workers. Changes nothing.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- Returns the time in milliseconds; and for each process the time in milliseconds of its last
-- heartbeat, and its report.
local seen = {}
local found = redis.call('ZRANGE', key('workers'), 0, -1, 'WITHSCORES')
for i = 1, #found, 2 do
    local report = redis.call('GET', key('worker:' .. found[i]))
    if report then
        seen[#seen + 1] = { found[i + 1], report }
    end
end
return { now_ms(), seen }
