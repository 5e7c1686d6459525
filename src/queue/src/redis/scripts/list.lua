-- Lists batches: the one that was opened last comes first.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 the state that they are in, or '', 2 and 3 the time in milliseconds at which the one was
--       opened behind which to begin, and its id, or '', 4 how many to look at, at least 1
-- Returns the id and the snapshot of each; the time and the id of the last one that it looked at,
-- or '' if there is nothing behind it.
local state, after_ms, after_id, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local list = key(state == '' and 'batches' or 'batches:' .. state)

local from = after_ms == '' and '+' or '(' .. listed(after_ms, after_id)
local members = redis.call('ZREVRANGEBYLEX', list, from, '-', 'LIMIT', 0, count)
local found, opened_ms, id = {}, '', ''
for _, member in ipairs(members) do
    opened_ms = string.format('%.0f', (struct.unpack('>I8', member)))
    id = string.sub(member, 9)
    local known = redis.call('HMGET', batch_key(id), 'opened_ms', 'state')
    if known[1] == opened_ms and (state == '' or known[2] == state) then
        found[#found + 1] = { id, snapshot(id) }
    else
        -- It has gone, or an earlier version brought it to another state.
        redis.call('ZREM', list, member)
    end
end
if #members < count then
    return { found, '', '' }
end
return { found, opened_ms, id }
