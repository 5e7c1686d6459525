-- Replaces what is known of the roll, unless it is something other than what the caller expects.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 id, 2 batches and 3 SHA-256 that are expected, each '' if nothing is known, or '-' as the id
--       to replace nothing; 4 id,
--       5 batches and 6 SHA-256 that replace them
-- Returns what is known then: the id, the batches and the SHA-256.
local roll = key('roll')

local known = redis.call('HMGET', roll, 'id', 'batches', 'sha256')
for index = 1, 3 do
    if (known[index] or '') ~= ARGV[index] then
        return known
    end
end
-- First what needs no memory: then a server that has none left lets the rest through.
redis.call('HDEL', roll, '-')
redis.call('HSET', roll, 'id', ARGV[4], 'batches', ARGV[5], 'sha256', ARGV[6])
return {ARGV[4], ARGV[5], ARGV[6]}
