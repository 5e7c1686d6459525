-- Ends a chunk: takes it off the queue, stores its outcome, moves the counters, and completes the
-- batch if nothing is left to do.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 the name of the chunk's stream, 2 entry, 3 'as_sent' or 'runs', 4 how many runs, 5 how
--       many dead letters, 6 how many retries, then
--       for each run three: first place, count, payload
--       for each dead letter one: as stored
--       for each retry six: place, payload, milliseconds to wait, 1 if isolated or else 0, failures,
--         the time of the first failure in milliseconds or ''
-- Returns 1, or 0 if the chunk had been committed before or its batch is aborted, or was.
--
-- A late worker's XACK returns 1 as long as nobody else's has, and 0 ever after: it is the gate.
local stream, entry, kept = stream_key(ARGV[1]), ARGV[2], ARGV[3]
local runs, letters, retries = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local RUNS_AT = 7
local LETTERS_AT = RUNS_AT + 3 * runs
local RETRIES_AT = LETTERS_AT + letters

local found = redis.call('XRANGE', stream, entry, entry)[1]
if not found or redis.call('XACK', stream, GROUP, entry) == 0 then
    return 0
end
redis.call('XDEL', stream, entry)
local fields = found[2]
local id, first, count, name, bytes = fields[2], fields[4], tonumber(fields[6]), fields[8], fields[10]
local more = {}
for i = 11, #fields, 2 do
    more[fields[i]] = fields[i + 1]
end
-- Not -COUNT: the server takes -0 for no number.
count_waiting(ARGV[1], 0 - count, 0 - bytes)
local payloads = batch_key(id) .. ':payloads'
local batch = find_batch(id)
-- The batch that the chunk is of was forgotten, and its id was used again.
if batch and more.o and more.o ~= batch.opened_ms then
    return 0
end
if kept ~= 'as_sent' then
    redis.call('HDEL', payloads, name, mark_of(name))
end
if not batch or batch.state == 'aborted' then
    return 0
end
local kept_before = batch.kept

local results = batch.key .. ':results'
local function store_result(place, records, length, payload_name)
    redis.call('HSET', results, place, struct.pack('>I4I4', records, length) .. payload_name)
end
if kept == 'as_sent' then
    store_result(first, count, tonumber(bytes), name)
    move(batch, 'kept', count)
end
for i = RUNS_AT, LETTERS_AT - 1, 3 do
    local place, records, payload = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
    local run = 'k' .. place
    redis.call('HSET', payloads, run, payload)
    store_result(place, records, #payload, run)
    move(batch, 'kept', records)
end
for i = LETTERS_AT, RETRIES_AT - 1 do
    -- The empty result lets those who read go on over the place.
    store_result(place_of(ARGV[i]), 1, 0, '')
    add_letter(batch, ARGV[i])
end

-- `a` marks a retry.
local retried = {}
local function add_retry(place, record, wait, isolated, failures, failed_first)
    local marks = { 'a', failures }
    if failed_first ~= '' then
        marks[#marks + 1], marks[#marks + 2] = 's', failed_first
    end
    if more.t then
        marks[#marks + 1], marks[#marks + 2] = 't', more.t
    end
    redis.call('HSET', payloads, retry_name(place), record)
    local chunk = chunk_fields(id, more.o, place, '1', retry_name(place), #record, marks)
    local line_name = isolated == '1' and 'isolated' or batch.priority
    if isolated == '1' or wait == '0' then
        redis.call('XADD', stream_key(line_name), '*', unpack(chunk))
    else
        local member = id .. '/' .. place
        redis.call('ZADD', key('retry'), now_ms() + wait, member)
        redis.call('HSET', key('retries'), member, cmsgpack.pack({ stream = line_name, fields = chunk }))
    end
    local line = retried[line_name] or { records = 0, bytes = 0 }
    retried[line_name] = { records = line.records + 1, bytes = line.bytes + #record }
end
for i = RETRIES_AT, #ARGV, 6 do
    add_retry(unpack(ARGV, i, i + 5))
end
for line_name, line in pairs(retried) do
    count_waiting(line_name, line.records, line.bytes)
end

count_total('kept', batch.kept - kept_before)
count_total('dead', letters)
move(batch, 'dead', letters)
move(batch, 'retrying', retries - (more.a and count or 0))
move(batch, 'chunks_committed', 1)
complete_if_done(batch)
return 1
