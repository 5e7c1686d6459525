-- Says that a complete batch is in the roll: its results leave the store, and the rest of it goes
-- after some time. Until then the places tell a record that is sent again.
--
-- KEYS: 1 batch, 2 results, 3 places, 4 dead, 5 roll (the stream), 6 complete
-- ARGV: 1 batch id, 2 SHA-256 of the roll, 3 seconds to keep the rest
-- Returns 'written', 'refused' (it was not complete), or 'unknown'.
local batch, results, places, dead, roll, complete =
    KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, sha256, retention = ARGV[1], ARGV[2], ARGV[3]

local known = redis.call('HMGET', batch, 'state', 'roll_entry')
local state, entry = known[1], known[2]
if not state then
    return 'unknown'
end
if state ~= 'complete' then
    return 'refused'
end
-- First what needs no memory: then a server that has none left lets the rest through.
redis.call('XACK', roll, GROUP, entry)
redis.call('XDEL', roll, entry)
redis.call('HSET', batch, 'state', 'written', 'roll_sha256', sha256)
redis.call('ZREM', complete, id)
redis.call('UNLINK', results)
redis.call('EXPIRE', batch, retention)
redis.call('EXPIRE', places, retention)
redis.call('EXPIRE', dead, retention)
return 'written'
