-- A track is a file (part 0), or a part of one by a cue sheet (1, 2, ...). A row that no longer counts,
-- since a cue sheet appeared, changed or went away, is `replaced`: its track is missing, keeps its id, and
-- returns with the cue sheet, or without it.
ALTER TABLE files
    ADD COLUMN part smallint NOT NULL DEFAULT 0,
    ADD COLUMN start_s double precision,
    ADD COLUMN end_s double precision,        -- null: at the file's end
    ADD COLUMN cue_sheet text,                -- a file's name, or `embedded`
    ADD COLUMN cue_problem text,              -- why a cue sheet of the file was passed over
    DROP CONSTRAINT files_library_id_path_key,
    ADD CONSTRAINT files_library_id_path_part_key UNIQUE (library_id, path, part),
    DROP CONSTRAINT files_state_check,
    ADD CONSTRAINT files_state_check
        CHECK (state IN ('present', 'missing', 'unreadable', 'replaced'));
-- Both are empty where there are no cue sheets; the counts of the status read them.
CREATE INDEX files_further_parts ON files (track_id) WHERE part > 1 AND state <> 'replaced';
CREATE INDEX files_replaced_parts ON files (track_id) WHERE state = 'replaced';
CREATE TABLE track_chapters (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    position smallint NOT NULL,
    title text NOT NULL,
    start_s double precision NOT NULL,
    end_s double precision NOT NULL,
    PRIMARY KEY (track_id, position)
);
