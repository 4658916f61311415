-- A file's content by a hash of its sound, tags apart: by it a track is known wherever its file goes.
ALTER TABLE files
    ADD COLUMN content_hash bytea,
    -- What its track had before, if that changed in the scan of `read_by_scan_id`: should the old
    -- content turn up at another path in the same scan, the track goes with it.
    ADD COLUMN replaced_hash bytea;
CREATE INDEX files_content ON files (content_hash, read_by_scan_id) WHERE content_hash IS NOT NULL;
CREATE INDEX files_missing_content ON files (content_hash) WHERE state = 'missing';
CREATE INDEX files_replaced ON files (replaced_hash) WHERE replaced_hash IS NOT NULL;
