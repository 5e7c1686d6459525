-- Ends the open batches whose deadline has passed, the most overdue first. Goes on with aborts that
-- had too much to discard for one step.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 how many batches at most
-- Returns the id and the snapshot of each that it ended.
local deadline = key('deadline')

local ended = {}
local overdue = redis.call('ZRANGEBYSCORE', deadline, '-inf', now_ms(), 'LIMIT', 0, ARGV[1])
for _, id in ipairs(overdue) do
    local batch = find_batch(id)
    if batch and batch.state == 'aborted' then
        discard(batch)
    elseif batch and batch.state == 'open' then
        if redis.call('HGET', batch.key, 'ending') == 'abort' then
            discard(batch)
        else
            seal(batch)
        end
        redis.call('HSET', batch.key, 'overdue', 1)
        ended[#ended + 1] = { id, snapshot(id) }
    else
        redis.call('ZREM', deadline, id)
    end
end
return ended
