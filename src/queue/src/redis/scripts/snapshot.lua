-- Shared: what a batch is shown as, in the order in which `decode::batch` reads it.
local function snapshot(batch)
    return redis.call('HMGET', batch, 'state', 'priority', 'received', 'kept', 'dead', 'roll_sha256')
end
