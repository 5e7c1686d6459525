-- Appends a chunk to a batch, unless the batch has its records.
--
-- KEYS: 1 batch, 2 places, 3 seal, 4 high, 5 normal, 6 low (the streams)
-- ARGV: 1 batch id, 2 count, 3 payload, 4 'from' or 'each', 5 the number of places a bitmap may
--       have, 6… the first place ('from') or every place ('each')
-- Returns a word and its detail:
--   accepted 0 | behind RECEIVED | taken {PLACE…} | gap RECEIVED | sealed RECEIVED | mixed 0 |
--   unknown 0
local batch, places, seal = KEYS[1], KEYS[2], KEYS[3]
local streams = { high = KEYS[4], normal = KEYS[5], low = KEYS[6] }
local id, count, payload, kind, places_max = ARGV[1], ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local PLACES_AT = 6

local known = redis.call('HMGET', batch, 'state', 'priority', 'places', 'received', 'seal_after_ms')
local state, priority, known_kind, seal_after = known[1], known[2], known[3], known[5]
if not state then
    return { 'unknown', 0 }
end
local received = tonumber(known[4])
if known_kind and known_kind ~= kind then
    return { 'mixed', 0 }
end

-- What the batch has already is no error, sealed or not: the sender may have missed the answer.
local gap = false
if kind == 'from' then
    local first = tonumber(ARGV[PLACES_AT])
    if first < received then
        return { 'behind', received }
    end
    gap = first > received
else
    local taken = {}
    for i = PLACES_AT, #ARGV do
        if tonumber(ARGV[i]) >= places_max then
            gap = true
        elseif redis.call('GETBIT', places, ARGV[i]) == 1 then
            taken[#taken + 1] = ARGV[i]
        end
    end
    if #taken > 0 then
        return { 'taken', taken }
    end
end
if state ~= 'open' then
    return { 'sealed', received }
end
if gap then
    return { 'gap', received }
end

redis.call('XADD', streams[priority], '*', 'b', id, 'f', known[4], 'n', count, 'p', payload)
redis.call('HINCRBY', batch, 'received', count)
if not known_kind then
    redis.call('HSET', batch, 'places', kind)
end
if kind == 'each' then
    for i = PLACES_AT, #ARGV do
        redis.call('SETBIT', places, ARGV[i], 1)
    end
end
if seal_after then
    redis.call('ZADD', seal, now_ms() + seal_after, id)
end
return { 'accepted', 0 }
