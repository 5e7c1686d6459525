-- Lets dead letters be processed anew: at their places while their batch is open or sealed, in a
-- new batch, which is sealed, when it is complete or written.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 the id of the new batch, then for each letter two: place, payload
-- Returns how many there were and 1 if they are in the new batch, else 0; or nil if there is no
-- such batch.
local batch, new_id = find_batch(ARGV[1]), ARGV[2]
local LETTERS_AT = 3
if not batch then
    return nil
end
if batch.state == 'aborted' then
    return { 0, 0 }
end
local in_place = batch.state == 'open' or batch.state == 'sealed'

-- A chunk of one record; `failures` marks one that counts as retrying.
local function add_record(id, opened_ms, place, payload, trace, failures)
    local marks = {}
    if failures then
        marks[#marks + 1], marks[#marks + 2] = 'a', failures
    end
    if trace then
        marks[#marks + 1], marks[#marks + 2] = 't', trace
    end
    local name = retry_name(place)
    redis.call('HSET', batch_key(id) .. ':payloads', name, payload)
    add_chunk(stream_key(batch.priority), id, opened_ms, place, '1', name, #payload, marks)
end

local found, bytes, first_trace = 0, 0, nil
for i = LETTERS_AT, #ARGV, 2 do
    local place, payload = ARGV[i], ARGV[i + 1]
    local letter = find_letter(batch, place)
    if letter then
        local trace = header(letter).trace
        trace = type(trace) == 'string' and trace or nil
        first_trace = first_trace or trace
        remove_letter(batch, letter)
        if in_place then
            redis.call('HDEL', batch.key .. ':results', place)
            add_record(batch.id, batch.opened_ms, place, payload, trace, '0')
        else
            add_record(new_id, nil, found, payload, trace)
        end
        found, bytes = found + 1, bytes + #payload
    end
end
if found == 0 then
    return { 0, 0 }
end
count_waiting(batch.priority, found, bytes)
move(batch, 'dead', -found)
if in_place then
    redis.call('SREM', key('held'), batch.id)
    move(batch, 'retrying', found)
    return { found, 0 }
end

move(batch, 'replayed', found)
forget_later_if_resolved(batch)
local new = new_batch(new_id, batch.priority, batch.policy, found, found)
if first_trace then
    redis.call('HSET', new.key, 'trace', first_trace)
end
enter(new, 'sealed')
return { found, 1 }
