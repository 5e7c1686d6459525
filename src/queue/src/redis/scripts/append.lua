-- Appends chunks to a batch, one behind another, unless the batch has one of their records. Their
-- payloads were put into the batch just before; those of chunks that are not appended are removed.
--
-- It may come twice, when its answer was lost: the second time it is refused, and the payloads have
-- to stay. So what is appended is marked.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 and 3 the records and bytes that may wait, or '', 4 the number of indices a
--       batch may have, 5 the number of records between checkpoints, 6 how many chunks, then
--       for each chunk four: count, the name of its payload, trace or '', the digest of the batch
--         up to its end ('from') or ''
--       'from', the first index, and the digest of the batch before it; or
--       'each', and of each record two: index, hash
-- Returns a word and its detail:
--   accepted 0 | behind RECEIVED | taken {{SAME…}, {DIFFERENT…}} | gap RECEIVED | sealed RECEIVED |
--   different RECEIVED | mixed 0 | aborted 0 | unknown 0 | full {RECORDS, BYTES} |
--   lacking 0 (a payload is not there)
local id, records_max, bytes_max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local indices_max, interval, chunks = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local CHUNKS_AT = 7
local KIND_AT = CHUNKS_AT + 4 * chunks
local PLACES_AT = KIND_AT + 1
local kind = ARGV[KIND_AT]
local batch = batch_key(id)
local payloads, pages = batch .. ':payloads', hash_pages(id)

local function refused(word, detail)
    for i = CHUNKS_AT, KIND_AT - 1, 4 do
        if redis.call('HEXISTS', payloads, mark_of(ARGV[i + 1])) == 0 then
            redis.call('HDEL', payloads, ARGV[i + 1])
        end
    end
    return { word, detail }
end

local known = redis.call('HMGET', batch, 'state', 'priority', 'places', 'received', 'deadline_ms',
    'trace', 'digest', 'opened_ms')
local state, priority, known_kind, deadline = known[1], known[2], known[3], known[5]
if not state then
    return refused('unknown', 0)
end
if state == 'aborted' then
    return refused('aborted', 0)
end
local received = tonumber(known[4])
-- Of a batch that an earlier version received records of, none is known.
local digest = received == 0 and NO_RECORDS or known[7]
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
    if not gap and digest and digest ~= ARGV[PLACES_AT + 1] then
        return refused('different', received)
    end
else
    -- An earlier version kept a bit for each record, and no hashes.
    local bitmap = batch .. ':places'
    local has_bitmap = redis.call('EXISTS', bitmap) == 1
    local same, different = {}, {}
    for i = PLACES_AT, #ARGV, 2 do
        local index = tonumber(ARGV[i])
        local hash = index < indices_max and hash_at(pages, index)
        if index >= indices_max then
            gap = true
        elseif hash and hash ~= ARGV[i + 1] then
            different[#different + 1] = ARGV[i]
        elseif hash or (has_bitmap and redis.call('GETBIT', bitmap, index) == 1) then
            same[#same + 1] = ARGV[i]
        end
    end
    if #same + #different > 0 then
        return refused('taken', { same, different })
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
for i = CHUNKS_AT, KIND_AT - 1, 4 do
    lengths[i] = redis.call('HSTRLEN', payloads, ARGV[i + 1])
    if lengths[i] == 0 and redis.call('HEXISTS', payloads, ARGV[i + 1]) == 0 then
        return refused('lacking', 0)
    end
end

local stream, records, bytes, first_trace = stream_key(priority), 0, 0, nil
local covered = kind == 'from' and digest and last_checkpoint(id)
for i = CHUNKS_AT, KIND_AT - 1, 4 do
    local count, trace = ARGV[i], ARGV[i + 2]
    -- Not tostring: it writes a large one as 1e+15.
    local first = string.format('%.0f', received + records)
    local more = nil
    if trace ~= '' then
        more, first_trace = { 't', trace }, first_trace or trace
    end
    redis.call('HSET', payloads, mark_of(ARGV[i + 1]), '')
    add_chunk(stream, id, known[8], first, count, ARGV[i + 1], lengths[i], more)
    records, bytes = records + tonumber(count), bytes + lengths[i]
    if covered then
        digest = ARGV[i + 3]
        if received + records - covered >= interval then
            covered = received + records
            add_checkpoint(id, covered, digest)
        end
    end
end
count_waiting(priority, records, bytes)
count_total('accepted', records)
redis.call('HINCRBY', batch, 'received', tostring(records))
redis.call('HINCRBY', batch, 'chunks', ARGV[6])
if not known_kind then
    redis.call('HSET', batch, 'places', kind)
end
if first_trace and not known[6] then
    redis.call('HSET', batch, 'trace', first_trace)
end
if covered then
    redis.call('HSET', batch, 'digest', digest)
end
if kind == 'each' then
    for i = PLACES_AT, #ARGV, 2 do
        add_hash(pages, tonumber(ARGV[i]), ARGV[i + 1])
    end
    store_hashes(pages)
end
if deadline then
    redis.call('ZADD', key('deadline'), now_ms() + deadline, id)
end
return { 'accepted', 0 }
