-- Finds which commands the server does not have.
--
-- ARGV: the names of commands
-- Returns the names of those that it lacks; none where it does not answer COMMAND INFO.
local known, lacks = redis.pcall('COMMAND', 'INFO', unpack(ARGV)), {}
for index, name in ipairs(ARGV) do
    if known[index] == false then
        lacks[#lacks + 1] = name
    end
end
return lacks
