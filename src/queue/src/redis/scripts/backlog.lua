-- Says what waits, line by line. Changes nothing.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- Returns for each of high, normal, low, isolated {RECORDS, BYTES, MILLISECONDS that the oldest has
-- been in line, or -1 if none is}; then the number of dead letters.
local function line(name)
    local counted = redis.call('HMGET', key('depth'), name .. ':records', name .. ':bytes')
    local oldest, age = redis.call('XRANGE', stream_key(name), '-', '+', 'COUNT', 1)[1], -1
    if oldest then
        -- An entry's id begins with the time at which it was made.
        age = math.max(0, now_ms() - tonumber(string.match(oldest[1], '^%d+')))
    end
    -- Below zero while there is something of an earlier version, which counted no lines.
    local records, bytes = tonumber(counted[1] or 0), tonumber(counted[2] or 0)
    return { math.max(0, records), math.max(0, bytes), age }
end

return { line('high'), line('normal'), line('low'), line('isolated'),
    redis.call('ZCARD', key('dead')) }
