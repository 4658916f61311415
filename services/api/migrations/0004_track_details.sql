-- What more the tags say of a track. What few tracks have, or what is long, has tables of its own:
-- a track's row stays small.
ALTER TABLE tracks
    ADD COLUMN kind text NOT NULL DEFAULT 'music' CHECK (kind IN ('music', 'podcast', 'audiobook')),
    ADD COLUMN work text,
    ADD COLUMN movement_name text,
    ADD COLUMN movement_number integer,
    ADD COLUMN movement_total integer,
    ADD COLUMN moods text[] NOT NULL DEFAULT '{}',
    ADD COLUMN "grouping" text,
    ADD COLUMN copyright text,
    ADD COLUMN tag_key text;                  -- as it is tagged; what was measured is in `analyses`
CREATE INDEX tracks_spoken ON tracks (kind, sort_key, id) WHERE kind <> 'music';

ALTER TABLE track_credits ADD COLUMN instrument text;

CREATE TABLE track_lyrics (
    track_id uuid PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
    plain text,
    synced text,                              -- LRC, a line a stamp
    is_sidecar boolean NOT NULL,
    CHECK (plain IS NOT NULL OR synced IS NOT NULL)
);
-- Tags that have no column: lists of texts by name.
CREATE TABLE track_other_tags (
    track_id uuid PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
    tags jsonb NOT NULL
);
-- What other programs noted in the file: not what this library's user says.
CREATE TABLE imported_facts (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    source text NOT NULL,
    rating smallint CHECK (rating BETWEEN 0 AND 100),
    play_count bigint CHECK (play_count >= 0),
    PRIMARY KEY (track_id, source)
);
