-- Gives work back, where the worker still holds it.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: for each lease three: the name of its stream, entry, worker
-- Returns how many were given back.
local released = 0
for i = 1, #ARGV, 3 do
    local name, entry, worker = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local holder, deliveries = owner(stream_key(name), entry)
    if holder == worker then
        give_back(name, entry, deliveries)
        released = released + 1
    end
end
return released
