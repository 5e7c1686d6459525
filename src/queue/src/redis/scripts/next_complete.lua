-- Shows the first batches that are to be written.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 how many at most
-- Returns for each the batch id and the snapshot.
local found = {}
for i, id in ipairs(redis.call('ZRANGE', key('complete'), 0, ARGV[1] - 1)) do
    found[i] = { id, snapshot(id) }
end
return found
