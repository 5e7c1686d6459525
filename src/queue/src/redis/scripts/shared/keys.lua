-- Shared by all: the keys of the partition whose hash tag is KEYS[1]. keys.rs has the table of them,
-- and says what KEYS[2] is for.
local function key(name)
    return KEYS[1] .. ':' .. name
end

local function stream_key(name)
    return KEYS[1] .. ':queue:' .. name
end

local function batch_key(id)
    return KEYS[1] .. ':batch:' .. id
end
