-- Forgets a worker: gives back what it holds, page by page. With it those who were killed long ago
-- and hold nothing.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 worker, 2 milliseconds after which a silent worker counts as gone, 3 how many pieces of
--       work of each stream at most
-- Returns 1 if the worker holds more, else 0.
--
-- A consumer that holds work must stay: to delete it would lose the work.
local worker, silent, page = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

-- {'name', 'w', 'pending', 0, …} as a table by name.
local function by_name(flat)
    local named = {}
    for i = 1, #flat, 2 do
        named[flat[i]] = flat[i + 1]
    end
    return named
end

local more = 0
for _, name in ipairs(STREAMS) do
    local stream = stream_key(name)
    local held = redis.pcall('XPENDING', stream, GROUP, '-', '+', page, worker)
    for _, pending in ipairs(held.err and {} or held) do
        give_back(name, pending[1], pending[4])
    end
    if #held == page then
        more = 1
    end
    local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, GROUP)
    for _, flat in ipairs(consumers.err and {} or consumers) do
        local consumer = by_name(flat)
        if consumer.pending == 0 and (consumer.name == worker or consumer.idle > silent) then
            redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, consumer.name)
        end
    end
end
return more
