-- Shared: the streams, and what goes in and out of them.

-- In the order in which they are leased from; `isolated` is leased from apart.
local LEASED = { 'roll', 'high', 'normal', 'low' }
local ROLLS = { 'roll' }
local STREAMS = { 'roll', 'high', 'normal', 'low', 'isolated' }

-- Leases what nobody has leased yet. Returns what XREADGROUP does for the stream, or nil.
-- A stream or group that is missing (at the start, or after a flush) is made.
local function read(name, worker, count)
    local stream = stream_key(name)
    local command = { 'XREADGROUP', 'GROUP', GROUP, worker, 'COUNT', count, 'STREAMS', stream, '>' }
    local reply = redis.pcall(unpack(command))
    if reply and reply.err then
        if string.find(reply.err, 'NOGROUP', 1, true) then
            redis.call('XGROUP', 'CREATE', stream, GROUP, '0', 'MKSTREAM')
        end
        reply = redis.call(unpack(command))
    end
    return reply and reply[1] or nil
end

-- Adds to the last field, `l`, how often a lease was lost; it is there if that was ever the case.
local function add_lost(fields, lost)
    if fields[#fields - 1] == 'l' then
        fields[#fields] = tostring(fields[#fields] + lost)
    elseif lost > 0 then
        fields[#fields + 1] = 'l'
        fields[#fields + 1] = tostring(lost)
    end
end

-- Leases up to `count` entries that are leased and that nobody has extended for `idle` ms. Their
-- field `l` says how often their lease was lost, this time included.
--
-- Not XAUTOCLAIM: before Redis 7 it also returns entries that were deleted while they were leased.
local PAGE = 100

local function claim_idle(name, worker, idle, count)
    local stream, claimed, from = stream_key(name), {}, '-'
    while #claimed < count do
        local page = redis.pcall('XPENDING', stream, GROUP, 'IDLE', idle, from, '+', PAGE)
        if page.err then
            break
        end
        for _, pending in ipairs(page) do
            local entry, deliveries = pending[1], pending[4]
            if #claimed == count then
                break
            end
            local found = redis.call('XCLAIM', stream, GROUP, worker, 0, entry)[1]
            if found then
                add_lost(found[2], deliveries)
                claimed[#claimed + 1] = found
            else
                -- Somebody deleted it while it was leased, which ends the lease.
                redis.call('XACK', stream, GROUP, entry)
            end
            from = '(' .. entry
        end
        if #page < PAGE then
            break
        end
    end
    return claimed
end

-- Gives a leased entry back: as a new one with the same fields, so that a worker that waits for
-- work gets it at once. `deliveries` is how often it was leased: the last time it was not lost.
local function give_back(name, entry, deliveries)
    local stream = stream_key(name)
    local found = redis.call('XRANGE', stream, entry, entry)[1]
    redis.call('XACK', stream, GROUP, entry)
    if not found then
        return
    end
    local fields = found[2]
    redis.call('XDEL', stream, entry)
    if name ~= 'roll' then
        add_lost(fields, deliveries - 1)
    end
    -- Never more than the ten fields of a chunk.
    local anew = redis.call('XADD', stream, '*', unpack(fields))
    if name == 'roll' then
        redis.call('HSET', batch_key(fields[2]), 'roll_entry', anew)
    end
end
