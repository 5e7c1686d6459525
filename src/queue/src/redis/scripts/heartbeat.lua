-- Keeps what a process that runs workers says of itself, and tells it what an operator has set.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 the process's id, 2 its report, 3 milliseconds for which it is kept, 4 how many are kept
--       at most
-- Returns what `controls` does.
local id, report, stays, max = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local workers, now = key('workers'), now_ms()

-- First what needs no memory: then a server that has none left lets the rest through.
redis.call('ZREMRANGEBYSCORE', workers, '-inf', now - stays)
redis.call('SET', key('worker:' .. id), report, 'PX', stays)
redis.call('ZADD', workers, now, id)
for _, silent in ipairs(redis.call('ZRANGE', workers, 0, -max - 1)) do
    redis.call('ZREM', workers, silent)
    redis.call('DEL', key('worker:' .. silent))
end
return controls()
