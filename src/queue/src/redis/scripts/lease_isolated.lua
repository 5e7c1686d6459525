-- Leases one isolated chunk: one that was left, or else the oldest that waits. None while the queue
-- is paused.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 worker, 2 idle time in milliseconds
-- Returns the work in the form of XREADGROUP's reply; see `claim_idle` for the field `l`.
local worker, idle = ARGV[1], ARGV[2]
if is_paused() then
    return {}
end

local claimed = claim_idle('isolated', worker, idle, 1)
if #claimed > 0 then
    return { { stream_key('isolated'), claimed } }
end
return { read('isolated', worker, 1) }
