-- Shared: a chunk as the fields of an entry. Its payload is in the batch, by its name: a script never
-- sees it, since Lua looks at each byte of what it is given.

-- The names and values of a chunk's fields, in the order that the first five always have; behind them
-- those in `more`. `opened_ms` tells the batch from an earlier one that had the same id; nil if no other
-- can have it.
local function chunk_fields(id, opened_ms, first, count, name, bytes, more)
    local fields = { 'b', id, 'f', first, 'n', count, 'p', name, 'z', bytes }
    if opened_ms then
        fields[#fields + 1], fields[#fields + 2] = 'o', opened_ms
    end
    for _, field in ipairs(more or {}) do
        fields[#fields + 1] = field
    end
    return fields
end

local function add_chunk(stream, ...)
    redis.call('XADD', stream, '*', unpack(chunk_fields(...)))
end

-- What stands beside a payload whose chunk is appended.
local function mark_of(name)
    return '+' .. name
end

-- The name of the payload of one record that is tried again: there is one such chunk of it at most.
local function retry_name(place)
    return 'r' .. place
end
