-- Shared: chunks that are to be tried again and wait for their time.
local PROMOTE_MAX = 100

-- Puts those whose time has come in line again. Returns the milliseconds until the time of the
-- first that waited, 0 if it has come, or -1 if none waited.
local function promote()
    local retry, retries = key('retry'), key('retries')
    local first = redis.call('ZRANGE', retry, 0, 0, 'WITHSCORES')
    if not first[1] then
        return -1
    end
    local now = now_ms()
    local due = redis.call('ZRANGEBYSCORE', retry, '-inf', now, 'LIMIT', 0, PROMOTE_MAX)
    for _, member in ipairs(due) do
        local packed = redis.call('HGET', retries, member)
        -- First what needs no memory: then a server that has none left lets the rest through.
        redis.call('ZREM', retry, member)
        redis.call('HDEL', retries, member)
        local chunk = cmsgpack.unpack(packed)
        redis.call('XADD', stream_key(chunk.stream), '*', unpack(chunk.fields))
    end
    return math.max(0, first[2] - now)
end
