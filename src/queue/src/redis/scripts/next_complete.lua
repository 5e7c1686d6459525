-- Shows the first batch that is to be written.
--
-- KEYS: 1 complete
--       The batch's own key follows from the id in it; it shares the hash tag.
-- Returns the batch id and the snapshot, or nil.
local id = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if not id then
    return nil
end
return { id, snapshot(BATCH .. id) }
