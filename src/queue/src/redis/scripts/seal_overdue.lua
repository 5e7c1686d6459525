-- Seals the batches whose time has come, the most overdue first.
--
-- KEYS: 1 seal, 2 roll (the stream), 3 complete
--       The batches' own keys follow from the ids in `seal`; they share its hash tag.
-- ARGV: 1 how many at most
-- Returns how many were sealed.
local seal, roll, complete = KEYS[1], KEYS[2], KEYS[3]

local sealed = 0
local overdue = redis.call('ZRANGEBYSCORE', seal, '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
for _, id in ipairs(overdue) do
    local batch = BATCH .. id
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', seal, id)
    if redis.call('HGET', batch, 'state') == 'open' then
        redis.call('HSET', batch, 'state', 'sealed')
        complete_if_drained(batch, id, roll, complete)
        sealed = sealed + 1
    end
end
return sealed
