-- Seals a batch; completes it if nothing is left to do.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 how many records the batch must have, or '', 3 the digest that it must have if
--       its own is known, or ''
-- Returns a word and its detail: sealed SNAPSHOT | miscounted RECEIVED | mixed 0 |
--   different RECEIVED | aborted 0 | unknown 0
local batch, claimed, digest = find_batch(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
if not batch then
    return { 'unknown', 0 }
end
if batch.state == 'aborted' then
    return { 'aborted', 0 }
end
if claimed and claimed ~= batch.received then
    return { 'miscounted', batch.received }
end
if digest ~= '' then
    local known = redis.call('HMGET', batch.key, 'digest', 'places')
    if known[2] == 'each' then
        return { 'mixed', 0 }
    end
    known = batch.received == 0 and NO_RECORDS or known[1]
    if known and digest ~= known then
        return { 'different', batch.received }
    end
end
if batch.state == 'open' then
    seal(batch)
end
return { 'sealed', snapshot(batch.id) }
