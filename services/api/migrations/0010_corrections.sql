-- What a person says of a track. It wins over what is measured and what the tags say.
CREATE TABLE corrections (
    track_id uuid PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
    tempo_bpm real,
    key text,
    mode text,
    camelot text,
    genres text[],
    moods text[],
    -- What the tags say while `track_genres` and `tracks.moods` hold the correction.
    tag_genres text[],
    tag_moods text[],
    corrected_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nulls(key, mode, camelot) IN (0, 3))
);

-- What stands of tempo and key: the correction, else what the analysis that stands measured; null
-- where there is neither, no pulse or no key. Derived: lists are filtered and sorted by it.
ALTER TABLE tracks
    ADD COLUMN tempo_bpm real,
    ADD COLUMN key text,
    ADD COLUMN mode text,
    ADD COLUMN camelot text;
UPDATE tracks SET
    tempo_bpm = nullif(a.tempo_bpm, 0),
    key = CASE WHEN a.key_confidence > 0 THEN a.key END,
    mode = CASE WHEN a.key_confidence > 0 THEN a.mode END,
    camelot = CASE WHEN a.key_confidence > 0 THEN a.camelot END
FROM analyses a WHERE a.track_id = tracks.id AND a.analyzer_version = tracks.analyzer_version;
CREATE INDEX tracks_order_tempo ON tracks (tempo_bpm, id);
CREATE INDEX tracks_key ON tracks (key, mode, tempo_bpm);
CREATE INDEX tracks_camelot ON tracks (camelot, tempo_bpm);
DROP INDEX analyses_tempo, analyses_key;
