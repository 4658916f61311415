-- The decoded length of a track's content, once that was analysed: duration_s is this then, not what
-- the header states. NULL again with a new content.
ALTER TABLE tracks ADD COLUMN decoded_duration_s double precision;
-- Mean loudness of the blocks in each bin of the histogram. Analyses of earlier versions have none, and
-- none of them counts for an album.
ALTER TABLE analyses ADD COLUMN loudness_histogram_lufs real[] NOT NULL DEFAULT '{}';
-- Few are damaged: the filter and the count read this alone.
CREATE INDEX analyses_damaged ON analyses (track_id) WHERE damaged;
