-- Shared: notices that the server's clock was set back. What was stamped before would lie in the
-- future: no lease would end and no retry come for as long as the clock was set back by. So the
-- leases begin anew, and the times of retries and deadlines move with the clock.
local CLOCK_STEP_MS = 1000

local function begin_leases_anew(name)
    local stream, from = stream_key(name), '-'
    repeat
        local page = redis.pcall('XPENDING', stream, GROUP, from, '+', PAGE)
        for _, pending in ipairs(page.err and {} or page) do
            redis.call('XCLAIM', stream, GROUP, pending[2], 0, pending[1], 'JUSTID')
            from = '(' .. pending[1]
        end
    until #page < PAGE
end

local function follow_clock()
    local clock, now = key('clock'), now_ms()
    local last = tonumber(redis.call('GET', clock) or 0)
    if math.abs(now - last) < CLOCK_STEP_MS then
        return
    end
    if now < last then
        for _, name in ipairs(STREAMS) do
            begin_leases_anew(name)
        end
        for _, times in ipairs({ key('retry'), key('deadline') }) do
            for _, member in ipairs(redis.call('ZRANGE', times, 0, -1)) do
                redis.call('ZINCRBY', times, now - last, member)
            end
        end
    end
    -- A server without memory refuses this, and must not refuse the rest.
    redis.pcall('SET', clock, now)
end
