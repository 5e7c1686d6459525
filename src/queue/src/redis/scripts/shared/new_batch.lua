-- Shared: makes a batch, which is open. Returns it as a table.
local function new_batch(id, priority, policy, received, chunks)
    local batch = { id = id, key = batch_key(id), state = 'open', opened_ms = now_ms() }
    redis.call('HSET', batch.key, 'state', 'open', 'priority', priority, 'policy', policy,
        'received', received, 'kept', 0, 'dead', 0, 'dropped', 0, 'replayed', 0, 'retrying', 0,
        'chunks', chunks, 'chunks_committed', 0, 'opened_ms', batch.opened_ms)
    for _, list in ipairs({ 'batches', 'batches:open' }) do
        redis.call('ZADD', key(list), 0, listed(batch.opened_ms, id))
    end
    return batch
end
