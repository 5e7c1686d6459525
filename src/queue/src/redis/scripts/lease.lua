-- Leases the oldest work, stream by stream, until there is enough; rolls alone while the queue is
-- paused.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 worker, 2 how many pieces of work at most
-- Returns what XREADGROUP does for the streams, without those that have nothing, and the
-- milliseconds until the next retry's time (-1 if there is none), and 1 if the queue is paused or
-- else 0.
local worker, left = ARGV[1], tonumber(ARGV[2])
local paused = is_paused()

local due = promote()
local work = {}
for _, name in ipairs(paused and ROLLS or LEASED) do
    if left > 0 then
        local found = read(name, worker, left)
        if found then
            work[#work + 1] = found
            left = left - #found[2]
        end
    end
end
return { work, due, paused and 1 or 0 }
