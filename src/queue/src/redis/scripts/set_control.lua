-- Sets something for all programs, or takes it back.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 'paused' or 'log_filter', 2 its value, or '' if it is taken back
-- Returns 1.
local name, value = ARGV[1], ARGV[2]

-- First what needs no memory: then a server that has none left lets the rest through.
redis.call('HDEL', key('controls'), name)
if value ~= '' then
    redis.call('HSET', key('controls'), name, value)
end
return 1
