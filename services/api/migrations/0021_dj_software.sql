-- What DJ software says of a track, in its file or in a collection that was imported.
ALTER TABLE imported_facts
    ADD COLUMN energy smallint CHECK (energy BETWEEN 1 AND 10),
    ADD COLUMN "key" text,
    ADD COLUMN tempo_bpm double precision,
    ADD COLUMN gain_db double precision,
    ADD COLUMN cues jsonb NOT NULL DEFAULT '[]',       -- objects, in the order of time
    ADD COLUMN beat_grid jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN problem text,                           -- why something is left out
    ADD COLUMN is_collection boolean NOT NULL DEFAULT false,
    ADD COLUMN import_id uuid,                         -- the import that brought it; null: a file
    ADD CHECK (is_collection = (import_id IS NOT NULL)),
    DROP CONSTRAINT imported_facts_pkey,
    ADD PRIMARY KEY (track_id, source, is_collection);
