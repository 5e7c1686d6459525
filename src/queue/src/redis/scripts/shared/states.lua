-- Shared: how a batch comes from one state to the next, and the lists that it is in: that of all
-- batches, and that of its state. One that an earlier version opened is in none.
local TIMES = {
    open = 'opened_ms', sealed = 'sealed_ms', complete = 'completed_ms', written = 'ended_ms',
    aborted = 'ended_ms',
}

-- The batch as a member of the lists: they lie in the order of their bytes, and so of the times at
-- which they were opened.
local function listed(opened_ms, id)
    return struct.pack('>I8', tonumber(opened_ms)) .. id
end

local function enter(batch, state)
    if batch.opened_ms then
        local member = listed(batch.opened_ms, batch.id)
        -- First what needs no memory: then a server that has none left lets the rest through.
        redis.call('ZREM', key('batches:' .. batch.state), member)
        redis.call('ZADD', key('batches:' .. state), 0, member)
    end
    if batch.state == 'sealed' then
        redis.call('SREM', key('held'), batch.id)
    end
    batch.state = state
    redis.call('HSET', batch.key, 'state', state, TIMES[state], now_ms())
end

-- Lets a batch go after some time. Until it goes, records that are sent again are recognised by what is
-- kept of them.
local function forget_later(batch)
    redis.call('EXPIRE', batch.key, RETENTION_SECONDS)
    for _, content in ipairs({ ':hashes', ':checkpoints', ':places' }) do
        redis.call('EXPIRE', batch.key .. content, RETENTION_SECONDS)
    end
    if batch.opened_ms then
        local goes_ms = now_ms() + RETENTION_SECONDS * 1000
        redis.call('ZADD', key('batches:going'), goes_ms, listed(batch.opened_ms, batch.id))
    end
end

-- Takes batches that have gone off the lists: more than one, so that they do not pile up where it is
-- called for each new batch.
local GONE_MAX = 8

local function unlist_gone()
    local going = key('batches:going')
    local gone = redis.call('ZRANGEBYSCORE', going, '-inf', now_ms(), 'LIMIT', 0, GONE_MAX)
    for _, member in ipairs(gone) do
        redis.call('ZREM', going, member)
        for _, list in ipairs({ 'batches', 'batches:written', 'batches:aborted' }) do
            redis.call('ZREM', key(list), member)
        end
    end
end
