-- Says that a complete batch is in the roll: its results leave the store.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 SHA-256 of the roll
-- Returns 'written', 'refused' (it was not complete), or 'unknown'.
local batch, sha256 = find_batch(ARGV[1]), ARGV[2]
if not batch then
    return 'unknown'
end
if batch.state ~= 'complete' then
    return 'refused'
end
local roll, entry = stream_key('roll'), redis.call('HGET', batch.key, 'roll_entry')
-- First what needs no memory: then a server that has none left lets the rest through.
redis.call('XACK', roll, GROUP, entry)
redis.call('XDEL', roll, entry)
redis.call('ZREM', key('complete'), batch.id)
redis.call('UNLINK', batch.key .. ':results', batch.key .. ':payloads')
enter(batch, 'written')
redis.call('HSET', batch.key, 'roll_sha256', sha256)
forget_later_if_resolved(batch)
return 'written'
