-- Shared: what a batch is shown as, in the order in which `decode::batch` reads it.
local function snapshot(id)
    return redis.call('HMGET', batch_key(id), 'state', 'priority', 'policy', 'received', 'retrying',
        'kept', 'dead', 'dropped', 'replayed', 'overdue', 'roll_sha256', 'chunks',
        'chunks_committed', 'opened_ms', 'sealed_ms', 'completed_ms', 'ended_ms',
        'trace', 'digest')
end
