-- Opens a batch, or finds the one that is there.
--
-- KEYS: 1 batch, 2 seal
-- ARGV: 1 batch id, 2 priority, 3 milliseconds without an append until it is sealed, or ''
-- Returns the snapshot.
local batch, seal = KEYS[1], KEYS[2]
local id, priority, seal_after = ARGV[1], ARGV[2], ARGV[3]

if redis.call('EXISTS', batch) == 0 then
    redis.call('HSET', batch, 'state', 'open', 'priority', priority,
        'received', 0, 'kept', 0, 'dead', 0)
    if seal_after ~= '' then
        redis.call('HSET', batch, 'seal_after_ms', seal_after)
        redis.call('ZADD', seal, now_ms() + seal_after, id)
    end
end
return snapshot(batch)
