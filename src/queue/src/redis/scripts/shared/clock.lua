-- Shared: the server's time in milliseconds, the one clock that all who use it agree on.
local function now_ms()
    local time = redis.call('TIME')
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
