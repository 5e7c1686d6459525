-- Shared: counts what waits, as a whole and by line. A line has the name of its stream.
local function count_waiting(line, records, bytes)
    local depth = key('depth')
    redis.call('HINCRBY', depth, line .. ':records', tostring(records))
    redis.call('HINCRBY', depth, line .. ':bytes', tostring(bytes))
    redis.call('HINCRBY', depth, 'bytes', tostring(bytes))
    if redis.call('HINCRBY', depth, 'records', tostring(records)) == 0 then
        -- Nothing waits. What an earlier version appended or committed was not counted by line: what
        -- is off by that is put right.
        redis.call('DEL', depth)
    end
end
