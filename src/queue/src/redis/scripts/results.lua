-- Reads results in order.
--
-- KEYS: 1 results
-- ARGV: 1 the place to begin at, 2 bytes at most (but at least one chunk), 3 chunks at most
-- Returns the stored results: each the count as 4 bytes, big-endian, and the payload.
local results = KEYS[1]
local place, bytes_max, chunks_max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local COUNT_LEN = 4

local found, bytes = {}, 0
while #found < chunks_max do
    local result = redis.call('HGET', results, string.format('%.0f', place))
    if not result then
        break
    end
    bytes = bytes + #result - COUNT_LEN
    if #found > 0 and bytes > bytes_max then
        break
    end
    found[#found + 1] = result
    place = place + struct.unpack('>I4', result)
end
return found
