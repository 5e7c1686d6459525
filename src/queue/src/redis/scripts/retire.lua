-- Removes the report of a process that runs workers.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 the process's id
-- Returns 1, or 0 if there was none.
redis.call('DEL', key('worker:' .. ARGV[1]))
return redis.call('ZREM', key('workers'), ARGV[1])
