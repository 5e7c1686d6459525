-- Shared: makes a batch.
local function new_batch(id, state, priority, policy, received)
    redis.call('HSET', batch_key(id), 'state', state, 'priority', priority, 'policy', policy,
        'received', received, 'kept', 0, 'dead', 0, 'dropped', 0, 'replayed', 0, 'retrying', 0)
end
