-- Appends chunks to a batch, one behind another, unless the batch has one of their records. Their
-- payloads were put into the batch just before; those of chunks that are not appended are removed.
--
-- It may come twice, when its answer was lost: the second time it is refused, and the payloads have
-- to stay. So what is appended is marked.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 and 3 the records and bytes that may wait, or '', 4 the number of places a
--       bitmap may have, 5 how many chunks, then
--       for each chunk three: count, the name of its payload, trace or ''
--       'from' or 'each', and the first place ('from') or every place ('each')
-- Returns a word and its detail:
--   accepted 0 | behind RECEIVED | taken {PLACE…} | gap RECEIVED | sealed RECEIVED | mixed 0 |
--   aborted 0 | unknown 0 | full {RECORDS, BYTES} | lacking 0 (a payload is not there)
local id, records_max, bytes_max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local places_max, chunks = tonumber(ARGV[4]), tonumber(ARGV[5])
local CHUNKS_AT = 6
local KIND_AT = CHUNKS_AT + 3 * chunks
local PLACES_AT = KIND_AT + 1
local kind = ARGV[KIND_AT]
local batch = batch_key(id)
local places, payloads = batch .. ':places', batch .. ':payloads'

local function refused(word, detail)
    for i = CHUNKS_AT, KIND_AT - 1, 3 do
        if redis.call('HEXISTS', payloads, mark_of(ARGV[i + 1])) == 0 then
            redis.call('HDEL', payloads, ARGV[i + 1])
        end
    end
    return { word, detail }
end

local known = redis.call('HMGET', batch, 'state', 'priority', 'places', 'received', 'deadline_ms',
    'trace')
local state, priority, known_kind, deadline = known[1], known[2], known[3], known[5]
if not state then
    return refused('unknown', 0)
end
if state == 'aborted' then
    return refused('aborted', 0)
end
local received = tonumber(known[4])
if known_kind and known_kind ~= kind then
    return refused('mixed', 0)
end

-- What the batch has already is no error, sealed or not: the sender may have missed the answer.
local gap = false
if kind == 'from' then
    local first = tonumber(ARGV[PLACES_AT])
    if first < received then
        return refused('behind', received)
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
        return refused('taken', taken)
    end
end
if state ~= 'open' then
    return refused('sealed', received)
end
if gap then
    return refused('gap', received)
end
if records_max or bytes_max then
    local waiting = redis.call('HMGET', key('depth'), 'records', 'bytes')
    local records, bytes = tonumber(waiting[1] or 0), tonumber(waiting[2] or 0)
    if (records_max and records >= records_max) or (bytes_max and bytes >= bytes_max) then
        return refused('full', { records, bytes })
    end
end

local lengths = {}
for i = CHUNKS_AT, KIND_AT - 1, 3 do
    lengths[i] = redis.call('HSTRLEN', payloads, ARGV[i + 1])
    if lengths[i] == 0 and redis.call('HEXISTS', payloads, ARGV[i + 1]) == 0 then
        return refused('lacking', 0)
    end
end

local stream, records, bytes, first_trace = stream_key(priority), 0, 0, nil
for i = CHUNKS_AT, KIND_AT - 1, 3 do
    local count, trace = ARGV[i], ARGV[i + 2]
    -- Not tostring: it writes a large one as 1e+15.
    local first = string.format('%.0f', received + records)
    local more = nil
    if trace ~= '' then
        more, first_trace = { 't', trace }, first_trace or trace
    end
    redis.call('HSET', payloads, mark_of(ARGV[i + 1]), '')
    add_chunk(stream, id, first, count, ARGV[i + 1], lengths[i], more)
    records, bytes = records + tonumber(count), bytes + lengths[i]
end
count_waiting(priority, records, bytes)
count_total('accepted', records)
redis.call('HINCRBY', batch, 'received', tostring(records))
redis.call('HINCRBY', batch, 'chunks', ARGV[5])
if not known_kind then
    redis.call('HSET', batch, 'places', kind)
end
if first_trace and not known[6] then
    redis.call('HSET', batch, 'trace', first_trace)
end
if kind == 'each' then
    for i = PLACES_AT, #ARGV do
        redis.call('SETBIT', places, ARGV[i], 1)
    end
end
if deadline then
    redis.call('ZADD', key('deadline'), now_ms() + deadline, id)
end
return { 'accepted', 0 }
