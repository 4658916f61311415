-- A scan that did not take over what seems lost: it is `held` until a person says so.
ALTER TABLE scans
    DROP CONSTRAINT scans_state_check,
    ADD CONSTRAINT scans_state_check
        CHECK (state IN ('requested', 'walking', 'reading', 'finished', 'held', 'refused')),
    ADD COLUMN accept_missing boolean NOT NULL DEFAULT false,
    ADD COLUMN files_held bigint NOT NULL DEFAULT 0;  -- not seen, and not marked missing either
-- A person's word is not joined to a scan that walks without it.
DROP INDEX scans_active;
CREATE UNIQUE INDEX scans_active ON scans (library_id, folder, mode, accept_missing)
    WHERE state IN ('requested', 'walking', 'reading');
