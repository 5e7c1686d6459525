-- Shows a batch.
--
-- KEYS: 1 batch
-- Returns the snapshot; all of it nil if there is no such batch.
return snapshot(KEYS[1])
