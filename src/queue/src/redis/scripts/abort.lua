-- Discards an open or sealed batch, a part in each step.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id
-- Returns a word and its detail: aborted SNAPSHOT | more 0 (there is more to discard) |
--   complete 0 | unknown 0
local batch = find_batch(ARGV[1])
if not batch then
    return { 'unknown', 0 }
end
if batch.state == 'complete' or batch.state == 'written' then
    return { 'complete', 0 }
end
if discard(batch) then
    return { 'more', 0 }
end
return { 'aborted', snapshot(batch.id) }
