-- Ends a chunk: takes it off the queue, stores its outcome, moves the counters, and completes the
-- batch if nothing is left to do.
--
-- KEYS: 1 the chunk's stream, 2 batch, 3 results, 4 dead, 5 roll (the stream), 6 complete
-- ARGV: 1 entry, 2 batch id, 3 first place, 4 count, 5 'as_sent' or 'rewritten', 6 the payload if
--       rewritten, 7… the dead letters
-- Returns 1, or 0 if the chunk had been committed before.
--
-- A late worker's XACK returns 1 as long as nobody else's has, and 0 ever after: it is the gate.
local stream, batch, results, dead, roll, complete =
    KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local entry, id, first, count, output, payload =
    ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6]
local LETTERS_AT = 7

local found = redis.call('XRANGE', stream, entry, entry)[1]
if not found or redis.call('XACK', stream, GROUP, entry) == 0 then
    return 0
end
if output == 'as_sent' then
    payload = found[2][8]
end
redis.call('XDEL', stream, entry)
redis.call('HSET', results, first, struct.pack('>I4', count) .. payload)
for i = LETTERS_AT, #ARGV do
    redis.call('ZADD', dead, 0, ARGV[i])
end
local letters = #ARGV - LETTERS_AT + 1
redis.call('HINCRBY', batch, 'kept', count - letters)
redis.call('HINCRBY', batch, 'dead', letters)
complete_if_drained(batch, id, roll, complete)
return 1
