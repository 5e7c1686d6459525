-- Shared: the worker that holds an entry of a stream, and how often it was delivered; or nil. Where
-- there is no group (yet, or after a flush), nobody holds anything.
local function owner(stream, entry)
    local pending = redis.pcall('XPENDING', stream, GROUP, entry, entry, 1)
    if pending.err or not pending[1] then
        return nil
    end
    return pending[1][2], pending[1][4]
end
