-- Drops dead letters of a batch; completes it if that was all that it waited for.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id, 2… places
-- Returns how many there were, or -1 if there is no such batch.
local batch = find_batch(ARGV[1])
if not batch then
    return -1
end
if batch.state == 'aborted' then
    return 0
end
local dropped = 0
for i = 2, #ARGV do
    local letter = find_letter(batch, ARGV[i])
    if letter then
        remove_letter(batch, letter)
        dropped = dropped + 1
    end
end
if dropped > 0 then
    move(batch, 'dead', -dropped)
    move(batch, 'dropped', dropped)
    complete_if_done(batch)
    forget_later_if_resolved(batch)
end
return dropped
