-- Forgets a worker, and with it those who were killed long ago, where they hold nothing.
--
-- KEYS: the streams
-- ARGV: 1 worker, 2 milliseconds after which a silent worker counts as gone
-- Returns how many consumers were deleted.
--
-- A consumer that holds work must stay: to delete it would lose the work.
local worker, silent = ARGV[1], tonumber(ARGV[2])

-- {'name', 'w', 'pending', 0, …} as a table by name.
local function by_name(flat)
    local named = {}
    for i = 1, #flat, 2 do
        named[flat[i]] = flat[i + 1]
    end
    return named
end

local deleted = 0
for _, stream in ipairs(KEYS) do
    local consumers = redis.pcall('XINFO', 'CONSUMERS', stream, GROUP)
    for _, flat in ipairs(consumers.err and {} or consumers) do
        local consumer = by_name(flat)
        if consumer.pending == 0 and (consumer.name == worker or consumer.idle > silent) then
            redis.call('XGROUP', 'DELCONSUMER', stream, GROUP, consumer.name)
            deleted = deleted + 1
        end
    end
end
return deleted
