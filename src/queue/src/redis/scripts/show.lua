-- Shows a batch.
--
-- KEYS: 1 the partition's tag, 2 see keys.lua
-- ARGV: 1 batch id
-- Returns the snapshot; all of it nil if there is no such batch.
return snapshot(ARGV[1])
