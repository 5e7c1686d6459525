-- Shared: what identifies the records of a batch.
--
-- Of records that each have their own index, a hash of 8 bytes, in pages of 32 indices. A page is a
-- field of the hash `hashes`: it ends behind the last record that it has, and 8 zero bytes stand for
-- a record that it does not have. So a record far from all others costs a few hundred bytes at most.
--
-- Of records that came one after another, checkpoints: how many records there are, as 8 bytes,
-- big-endian, and the first 16 digits of their digest. All of them are one string, `checkpoints`.
local HASH_LEN, PAGE_RECORDS = 8, 32
local NO_HASH = string.rep('\0', HASH_LEN)
local CHECKPOINT_LEN = 24
-- The digest of no records.
local NO_RECORDS = string.rep('0', 32)

local function content_key(id, name)
    return batch_key(id) .. ':' .. name
end

-- The pages of a batch that were read, and what is to be added to them.
local function hash_pages(id)
    return { key = content_key(id, 'hashes'), read = {}, added = {} }
end

local function page_and_offset(index)
    local offset = index % PAGE_RECORDS
    return (index - offset) / PAGE_RECORDS, offset
end

local function hash_in(page, offset)
    local hash = string.sub(page, offset * HASH_LEN + 1, (offset + 1) * HASH_LEN)
    return hash ~= '' and hash ~= NO_HASH and hash or nil
end

-- The hash of the record at an index, or nil.
local function hash_at(pages, index)
    local number, offset = page_and_offset(index)
    if not pages.read[number] then
        pages.read[number] = redis.call('HGET', pages.key, number) or ''
    end
    return hash_in(pages.read[number], offset)
end

-- Adds the hash of the record at an index, which `hash_at` was asked for before.
local function add_hash(pages, index, hash)
    local number, offset = page_and_offset(index)
    local added = pages.added[number] or { len = #pages.read[number] / HASH_LEN }
    added[offset], added.len = hash, math.max(added.len, offset + 1)
    pages.added[number] = added
end

local function store_hashes(pages)
    for number, added in pairs(pages.added) do
        local hashes = {}
        for offset = 0, added.len - 1 do
            hashes[offset + 1] = added[offset] or hash_in(pages.read[number], offset) or NO_HASH
        end
        redis.call('HSET', pages.key, number, table.concat(hashes))
    end
end

-- How many records the last checkpoint of a batch covers.
local function last_checkpoint(id)
    local last = redis.call('GETRANGE', content_key(id, 'checkpoints'), -CHECKPOINT_LEN, -1)
    return last == '' and 0 or struct.unpack('>I8', last)
end

local function add_checkpoint(id, records, digest)
    local checkpoint = struct.pack('>I8', records) .. string.sub(digest, 1, 16)
    redis.call('APPEND', content_key(id, 'checkpoints'), checkpoint)
end
