-- Lists dead letters of a group, of all batches of the partition.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 group, 2 and 3 the batch id and the place behind which to begin, or '', 4 how many at
--       most, 5 after how many bytes no more
-- Returns for each two: the batch id, and the letter as stored.
local group, after_id, after_place, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local bytes_max = tonumber(ARGV[5])

local from = '[' .. group .. '\0'
if after_id ~= '' then
    from = '(' .. group .. '\0' .. after_id .. '\0' .. struct.pack('>I8', tonumber(after_place))
end
local letters, bytes = {}, 0
local members =
    redis.call('ZRANGEBYLEX', key('dead'), from, '(' .. group .. '\1', 'LIMIT', 0, limit)
for _, member in ipairs(members) do
    local id = string.sub(member, #group + 2, -10)
    local batch = { key = batch_key(id) }
    local place = struct.unpack('>I8', member, #member - 7)
    local letter = find_letter(batch, place)
    bytes = bytes + #letter
    letters[#letters + 1] = id
    letters[#letters + 1] = letter
    if bytes >= bytes_max then
        break
    end
end
return letters
