-- Gives work back, where the worker still holds it: as a new entry with the same fields, so that
-- a worker that waits for work gets it at once.
--
-- KEYS: the streams, 1 the roll's
--       A roll's batch has its own key, which follows from the entry; it shares the hash tag.
-- ARGV: for each lease three: the number of its stream in KEYS, entry, worker
-- Returns how many were given back.
local released = 0
for i = 1, #ARGV, 3 do
    local stream, entry, worker = KEYS[tonumber(ARGV[i])], ARGV[i + 1], ARGV[i + 2]
    if owner(stream, entry) == worker then
        local found = redis.call('XRANGE', stream, entry, entry)[1]
        redis.call('XACK', stream, GROUP, entry)
        if found then
            local fields = found[2]
            redis.call('XDEL', stream, entry)
            -- Never more than the four fields of a chunk.
            local anew = redis.call('XADD', stream, '*', unpack(fields))
            if stream == KEYS[1] then
                redis.call('HSET', BATCH .. fields[2], 'roll_entry', anew)
            end
        end
        released = released + 1
    end
end
return released
