-- Starts the idle time of leases anew, where the worker still holds them.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: for each lease three: the name of its stream, entry, worker
-- Returns how many were extended.
local extended = 0
for i = 1, #ARGV, 3 do
    local stream, entry, worker = stream_key(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
    if owner(stream, entry) == worker then
        -- JUSTID leaves the count of deliveries as it is.
        redis.call('XCLAIM', stream, GROUP, worker, 0, entry, 'JUSTID')
        extended = extended + 1
    end
end
return extended
