-- Opens a batch, or finds the one that is there. Either way its deadline, while it is open, is put
-- off.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 priority, 3 policy, 4 milliseconds without an append until its deadline, or
--       '', 5 'seal' or 'abort': what happens then
-- Returns the snapshot.
local id, priority, policy, deadline, ending = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local batch = batch_key(id)

if redis.call('EXISTS', batch) == 0 then
    new_batch(id, priority, policy, 0, 0)
    if deadline ~= '' then
        redis.call('HSET', batch, 'deadline_ms', deadline, 'ending', ending)
    end
    unlist_gone()
end
local known = redis.call('HMGET', batch, 'state', 'deadline_ms')
if known[1] == 'open' and known[2] then
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', key('deadline'), id)
    redis.call('ZADD', key('deadline'), now_ms() + known[2], id)
end
return snapshot(id)
