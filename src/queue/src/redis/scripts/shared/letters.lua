-- Shared: dead letters, in their batch and in the index over all batches. A letter is stored as
-- its place, 8 bytes, big-endian; a line of JSON; the record.

-- The line of JSON of a stored letter, as a table.
local function header(letter)
    local line_end = string.find(letter, '\n', 9, true)
    return cjson.decode(string.sub(letter, 9, line_end - 1))
end

local function place_of(letter)
    return string.format('%.0f', (struct.unpack('>I8', letter)))
end

-- The letter at a place, or nil.
local function find_letter(batch, place)
    local from = struct.pack('>I8', tonumber(place))
    -- Behind the place comes a '{', which is below 255.
    return redis.call('ZRANGEBYLEX', batch.key .. ':dead', '[' .. from, '(' .. from .. '\255',
        'LIMIT', 0, 1)[1]
end

local function index_member(batch, letter, group)
    return group .. '\0' .. batch.id .. '\0' .. string.sub(letter, 1, 8)
end

local function add_letter(batch, letter)
    local group = header(letter).group
    redis.call('ZADD', batch.key .. ':dead', 0, letter)
    redis.call('ZADD', key('dead'), 0, index_member(batch, letter, group))
    redis.call('HINCRBY', key('dead:groups'), group, 1)
end

local function remove_letter(batch, letter)
    local group = header(letter).group
    -- First what needs no memory: then a server that has none left lets the rest through.
    redis.call('ZREM', batch.key .. ':dead', letter)
    redis.call('ZREM', key('dead'), index_member(batch, letter, group))
    if redis.call('HINCRBY', key('dead:groups'), group, -1) <= 0 then
        redis.call('HDEL', key('dead:groups'), group)
    end
end
