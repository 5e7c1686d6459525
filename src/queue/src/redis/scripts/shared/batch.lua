-- Shared: a batch as a table, and what its counters decide.

-- The batch, or nil if there is none.
local function find_batch(id)
    local batch = batch_key(id)
    local found = redis.call('HMGET', batch, 'state', 'priority', 'policy', 'received', 'retrying',
        'kept', 'dead', 'dropped', 'replayed', 'chunks_committed', 'opened_ms')
    if not found[1] then
        return nil
    end
    return {
        id = id, key = batch, state = found[1], priority = found[2], policy = found[3],
        received = tonumber(found[4]), retrying = tonumber(found[5]), kept = tonumber(found[6]),
        dead = tonumber(found[7]), dropped = tonumber(found[8]), replayed = tonumber(found[9]),
        -- An earlier version counted no chunks, and noted no times.
        chunks_committed = tonumber(found[10] or 0), opened_ms = found[11],
    }
end

-- Moves a counter of the batch. A number goes to the server as text that Lua made: that is quicker
-- than to let the server make it.
local function move(batch, counter, by)
    if by ~= 0 then
        batch[counter] = batch[counter] + by
        redis.call('HINCRBY', batch.key, counter, tostring(by))
    end
end

-- Completes a batch that is sealed and of which nothing is left to do. Called by each script that
-- may have done the last of it. One that only its dead letters keep from that is held.
--
-- `complete` keeps the order in which batches became complete; the roll's entry wakes a worker.
local function complete_if_done(batch)
    local ended = batch.kept + batch.dead + batch.dropped + batch.replayed
    if batch.state ~= 'sealed' or ended ~= batch.received then
        return
    end
    if batch.policy == 'fail' and batch.dead > 0 then
        redis.call('SADD', key('held'), batch.id)
        return
    end
    local complete = key('complete')
    local entry = redis.call('XADD', stream_key('roll'), '*', 'b', batch.id)
    enter(batch, 'complete')
    redis.call('HSET', batch.key, 'roll_entry', entry)
    local last = redis.call('ZREVRANGE', complete, 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', complete, tonumber(last or 0) + 1, batch.id)
end

-- Lets a written batch go after some time, unless it has dead letters.
local function forget_later_if_resolved(batch)
    if batch.state == 'written' and batch.dead == 0 then
        forget_later(batch)
    end
end
