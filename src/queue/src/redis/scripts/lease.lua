-- Leases the oldest work, stream by stream, until there is enough.
--
-- KEYS: the streams, the most urgent first
-- ARGV: 1 worker, 2 how many pieces of work at most
-- Returns what XREADGROUP does for these streams, without those that have nothing.
-- A stream or group that is missing (at the start, or after a flush) is made.
local worker, left = ARGV[1], tonumber(ARGV[2])

local function read(stream)
    local command = { 'XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', left, 'STREAMS', stream, '>' }
    local reply = redis.pcall(unpack(command))
    if not reply or not reply.err then
        return reply
    end
    if string.find(reply.err, 'NOGROUP', 1, true) then
        redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
    end
    return redis.call(unpack(command))
end

local work = {}
for _, stream in ipairs(KEYS) do
    if left > 0 then
        local reply = read(stream)
        if reply then
            work[#work + 1] = reply[1]
            left = left - #reply[1][2]
        end
    end
end
return work
