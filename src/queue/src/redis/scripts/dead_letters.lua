-- Lists dead letters of a batch by place.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2 the place to begin at, as 8 bytes, big-endian, 3 how many at most, 4 after
--       how many bytes no more
-- Returns the letters as stored.
local dead, limit, bytes_max = batch_key(ARGV[1]) .. ':dead', tonumber(ARGV[3]), tonumber(ARGV[4])

local from = '[' .. ARGV[2]
local letters, bytes = {}, 0
while #letters < limit and bytes < bytes_max do
    local letter = redis.call('ZRANGEBYLEX', dead, from, '+', 'LIMIT', 0, 1)[1]
    if not letter then
        break
    end
    bytes = bytes + #letter
    letters[#letters + 1] = letter
    -- Behind the place comes a '{', which is below 255.
    from = '(' .. string.sub(letter, 1, 8) .. '\255'
end
return letters
