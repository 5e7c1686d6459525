-- Leases the oldest work, stream by stream, until there is enough.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 worker, 2 how many pieces of work at most
-- Returns what XREADGROUP does for the streams, without those that have nothing, and the
-- milliseconds until the next retry's time (-1 if there is none).
local worker, left = ARGV[1], tonumber(ARGV[2])

local due = promote()
local work = {}
for _, name in ipairs(LEASED) do
    if left > 0 then
        local found = read(name, worker, left)
        if found then
            work[#work + 1] = found
            left = left - #found[2]
        end
    end
end
return { work, due }
