-- Shows the first batch that is to be written.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- Returns the batch id and the snapshot, or nil.
local id = redis.call('ZRANGE', key('complete'), 0, 0)[1]
if not id then
    return nil
end
return { id, snapshot(id) }
