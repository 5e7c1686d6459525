-- Shared: completes a batch that is sealed and of which every record is kept or dead. Loaded in
-- front of each script that may leave nothing to do in a batch.
--
-- `complete` keeps the order in which batches became complete; `roll` wakes a worker.
local function complete_if_drained(batch, id, roll, complete)
    local now = redis.call('HMGET', batch, 'state', 'received', 'kept', 'dead')
    if now[1] ~= 'sealed' or tonumber(now[2]) ~= tonumber(now[3]) + tonumber(now[4]) then
        return
    end
    local entry = redis.call('XADD', roll, '*', 'b', id)
    redis.call('HSET', batch, 'state', 'complete', 'roll_entry', entry)
    local last = redis.call('ZREVRANGE', complete, 0, 0, 'WITHSCORES')[2]
    redis.call('ZADD', complete, tonumber(last or 0) + 1, id)
end
