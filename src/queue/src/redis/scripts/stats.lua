-- Says what waits, line by line, how much is done, and what an operator has set. Changes nothing.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- Returns for each of high, normal, low, isolated {RECORDS, BYTES, MILLISECONDS that the oldest has
-- been in line, or -1 if none is}; the number of dead letters; the number of chunks that are leased;
-- {NUMBER of complete batches, MILLISECONDS that the first has been complete, or -1 if all are written};
-- the NUMBER of held batches; the total numbers {ACCEPTED, KEPT, DEAD}, each nil before the first one; and
-- what `controls` returns.
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

local function unwritten()
    local first, age = redis.call('ZRANGE', key('complete'), 0, 0)[1], -1
    if first then
        local now = now_ms()
        local completed = redis.call('HGET', batch_key(first), 'completed_ms')
        age = math.max(0, now - tonumber(completed or now))
    end
    return { redis.call('ZCARD', key('complete')), age }
end

local leased = 0
for _, name in ipairs({ 'high', 'normal', 'low', 'isolated' }) do
    -- Where there is no group (yet), nobody holds anything.
    local pending = redis.pcall('XPENDING', stream_key(name), GROUP)
    leased = leased + (pending.err and 0 or pending[1])
end

return { line('high'), line('normal'), line('low'), line('isolated'),
    redis.call('ZCARD', key('dead')), leased, unwritten(),
    redis.call('SCARD', key('held')),
    redis.call('HMGET', key('totals'), 'accepted', 'kept', 'dead'), controls() }
