-- Leases to one worker what has not been extended for some time, whoever holds it.
--
-- KEYS: the streams, the most urgent first
-- ARGV: 1 worker, 2 idle time in milliseconds, 3 how many pieces of work at most
-- Returns the work in the form of XREADGROUP's reply.
--
-- Not XAUTOCLAIM: before Redis 7 it also returns entries that were deleted while they were leased.
local worker, idle, left = ARGV[1], ARGV[2], tonumber(ARGV[3])
local PAGE = 100

-- Claims one entry; nil if somebody deleted it while it was leased, which ends the lease.
local function claim(stream, entry)
    local claimed = redis.call('XCLAIM', stream, GROUP, worker, 0, entry)[1]
    if not claimed then
        redis.call('XACK', stream, GROUP, entry)
    end
    return claimed or nil
end

local function take(stream)
    local taken = {}
    local from = '-'
    while true do
        local page = redis.pcall('XPENDING', stream, GROUP, 'IDLE', idle, from, '+', PAGE)
        if page.err then
            return taken
        end
        for _, pending in ipairs(page) do
            if left == 0 then
                return taken
            end
            local claimed = claim(stream, pending[1])
            if claimed then
                taken[#taken + 1] = claimed
                left = left - 1
            end
            from = '(' .. pending[1]
        end
        if #page < PAGE then
            return taken
        end
    end
end

local work = {}
for _, stream in ipairs(KEYS) do
    local taken = take(stream)
    if #taken > 0 then
        work[#work + 1] = { stream, taken }
    end
end
return work
