-- Reads results in order.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 the place to begin at, 3 bytes at most (but at least one chunk), 4 chunks at
--       most
-- Returns the stored results: each the count and the length of its payload as 4 bytes, big-endian,
-- and the payload's name.
local results = batch_key(ARGV[1]) .. ':results'
local place, bytes_max, chunks_max = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local found, bytes = {}, 0
while #found < chunks_max do
    local result = redis.call('HGET', results, string.format('%.0f', place))
    if not result then
        break
    end
    local count, length = struct.unpack('>I4I4', result)
    bytes = bytes + length
    if #found > 0 and bytes > bytes_max then
        break
    end
    found[#found + 1] = result
    place = place + count
end
return found
