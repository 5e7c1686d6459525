-- Shared: discards an open or sealed batch, or goes on with it. Returns whether there is more to
-- discard: then the batch stands first in `deadline`, so that somebody goes on.
local LETTERS_PAGE = 100

local function discard(batch)
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', key('deadline'), batch.id)
    redis.call('UNLINK', batch.key .. ':results', batch.key .. ':payloads', batch.key .. ':hashes',
        batch.key .. ':checkpoints', batch.key .. ':places')
    if batch.state ~= 'aborted' then
        enter(batch, 'aborted')
    end
    redis.call('HSET', batch.key, 'kept', 0, 'dead', 0, 'dropped', 0, 'replayed', 0, 'retrying', 0,
        'chunks_committed', 0)
    forget_later(batch)
    local letters = redis.call('ZRANGE', batch.key .. ':dead', 0, LETTERS_PAGE - 1)
    for _, letter in ipairs(letters) do
        remove_letter(batch, letter)
    end
    if #letters < LETTERS_PAGE then
        return false
    end
    redis.call('ZADD', key('deadline'), 0, batch.id)
    return true
end
