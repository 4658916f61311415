ALTER TABLE libraries
    -- A scan of an unknown root made it, and no scan has looked at the root yet.
    ADD COLUMN is_new boolean NOT NULL DEFAULT false,
    -- A person said that it is no other library that was moved here.
    ADD COLUMN is_separate boolean NOT NULL DEFAULT false,
    ADD COLUMN removal_requested_at timestamptz;
-- Tracks that were deleted, until the search index has deleted them too.
CREATE TABLE removed_tracks (
    track_id uuid PRIMARY KEY,
    revision bigint NOT NULL,                 -- higher than any that is indexed
    removed_at timestamptz NOT NULL DEFAULT now(),
    announced_at timestamptz                  -- when an event told the index
);
CREATE INDEX removed_tracks_unannounced ON removed_tracks (removed_at) WHERE announced_at IS NULL;
-- When an image was last stored or asked for, within an hour. The tracks of a scan refer to it soon.
ALTER TABLE covers ADD COLUMN needed_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE vector_spaces ADD COLUMN retired_at timestamptz;
UPDATE vector_spaces SET retired_at = now() WHERE NOT is_current;
CREATE INDEX failures_resolved ON failures (resolved_at) WHERE resolved_at IS NOT NULL;
-- Of all failures now, not of open ones only: a track that is deleted looks for its failures.
DROP INDEX failures_track;
CREATE INDEX failures_track ON failures (track_id) WHERE track_id IS NOT NULL;
-- Finds analyses of earlier versions without a look at all others.
CREATE INDEX analyses_version ON analyses (analyzer_version);
