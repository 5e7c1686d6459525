-- Shared: seals an open batch; completes it if nothing is left to do.
local function seal(batch)
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', key('deadline'), batch.id)
    enter(batch, 'sealed')
    complete_if_done(batch)
end
