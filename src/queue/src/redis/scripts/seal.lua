-- Seals a batch; completes it if nothing is left to do.
--
-- KEYS: 1 batch, 2 seal, 3 roll (the stream), 4 complete
-- ARGV: 1 batch id, 2 how many records the batch must have, or ''
-- Returns a word and its detail: sealed SNAPSHOT | miscounted RECEIVED | unknown 0
local batch, seal, roll, complete = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, claimed = ARGV[1], ARGV[2]

local known = redis.call('HMGET', batch, 'state', 'received')
local state, received = known[1], known[2]
if not state then
    return { 'unknown', 0 }
end
if claimed ~= '' and claimed ~= received then
    return { 'miscounted', received }
end
if state == 'open' then
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', seal, id)
    redis.call('HSET', batch, 'state', 'sealed')
    complete_if_drained(batch, id, roll, complete)
end
return { 'sealed', snapshot(batch) }
