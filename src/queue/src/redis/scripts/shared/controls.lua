-- Shared: what an operator has set for all programs.

-- Whether the queue is paused ('1'), and the filter of the log; each false when it is not set.
local function controls()
    return redis.call('HMGET', key('controls'), 'paused', 'log_filter')
end

local function is_paused()
    return controls()[1] == '1'
end
