-- Shared: counts records since the store was first used: `accepted`, `kept`, `dead`.
local function count_total(name, records)
    if records > 0 then
        redis.call('HINCRBY', key('totals'), name, tostring(records))
    end
end
