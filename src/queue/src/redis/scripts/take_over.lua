-- Leases to one worker what has not been extended for some time, whoever holds it; rolls alone while
-- the queue is paused.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 worker, 2 idle time in milliseconds, 3 how many pieces of work at most
-- Returns the work in the form of XREADGROUP's reply; see `claim_idle` for the field `l`.
local worker, idle, left = ARGV[1], ARGV[2], tonumber(ARGV[3])

follow_clock()
promote()
local work = {}
for _, name in ipairs(is_paused() and ROLLS or LEASED) do
    local claimed = claim_idle(name, worker, idle, left)
    if #claimed > 0 then
        work[#work + 1] = { stream_key(name), claimed }
        left = left - #claimed
    end
end
return work
