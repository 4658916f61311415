-- Albums are grouped by what their tracks say: among all claims of one title in a library.
ALTER TABLE album_claims ADD COLUMN title_key text COLLATE "C";  -- library and folded title; null: an earlier version's
CREATE INDEX album_claims_title ON album_claims (title_key);
CREATE INDEX album_claims_claim ON album_claims (claim);
-- Titles whose tracks changed since their albums were grouped. `changes` tells a new change from one that was seen.
CREATE TABLE ungrouped_titles (
    title_key text COLLATE "C" PRIMARY KEY,
    changes bigint NOT NULL DEFAULT 1
);

-- Artists and genres whose tracks may have another spelling more often now than the one that is shown.
CREATE TABLE uncounted_spellings (
    id uuid PRIMARY KEY,                      -- of an artist or a genre
    changes bigint NOT NULL DEFAULT 1
);
ALTER TABLE artists ADD COLUMN renamed_at timestamptz;  -- its tracks are to be shown anew
ALTER TABLE genres ADD COLUMN renamed_at timestamptz;
CREATE INDEX artists_renamed ON artists (id) WHERE renamed_at IS NOT NULL;
CREATE INDEX genres_renamed ON genres (id) WHERE renamed_at IS NOT NULL;
-- As the track spells it.
ALTER TABLE track_genres ADD COLUMN tagged_as text;
UPDATE track_genres tg SET tagged_as = g.name FROM genres g WHERE g.id = tg.genre_id;

-- One artist a MusicBrainz id, whatever the spellings: the oldest one stays.
CREATE TEMPORARY TABLE same_artist ON COMMIT DROP AS
SELECT id, kept FROM (
    SELECT id, first_value(id) OVER (PARTITION BY musicbrainz_artist_id ORDER BY created_at, id) AS kept
    FROM artists WHERE musicbrainz_artist_id IS NOT NULL
) a WHERE id <> kept;
UPDATE track_credits c SET artist_id = s.kept FROM same_artist s WHERE c.artist_id = s.id;
UPDATE album_credits c SET artist_id = s.kept FROM same_artist s WHERE c.artist_id = s.id;
UPDATE album_claims SET artist_ids = ARRAY(
    SELECT coalesce(s.kept, a.id) FROM unnest(artist_ids) WITH ORDINALITY AS a(id, n)
    LEFT JOIN same_artist s ON s.id = a.id ORDER BY n
), facts = jsonb_set(facts, '{credits}', coalesce((
    SELECT jsonb_agg(jsonb_set(credit, '{0}', to_jsonb(replace(coalesce(s.kept, (credit ->> 0)::uuid)::text, '-', '')))
        ORDER BY n)
    FROM jsonb_array_elements(facts -> 'credits') WITH ORDINALITY AS c(credit, n)
    LEFT JOIN same_artist s ON s.id = (credit ->> 0)::uuid
), '[]'))
WHERE artist_ids && ARRAY(SELECT id FROM same_artist);
DELETE FROM artists WHERE id IN (SELECT id FROM same_artist);
INSERT INTO uncounted_spellings (id) SELECT DISTINCT kept FROM same_artist;

-- Partial: PostgreSQL takes a change of a column that foreign keys could name for a change of the key, and
-- who changes a name would wait for all who refer to the artist.
DROP INDEX artists_natural_key, artists_musicbrainz;
CREATE UNIQUE INDEX artists_without_id ON artists (name_key) WHERE musicbrainz_artist_id IS NULL;
CREATE UNIQUE INDEX artists_musicbrainz ON artists (musicbrainz_artist_id) WHERE musicbrainz_artist_id IS NOT NULL;
CREATE INDEX artists_name ON artists (name_key);

-- Spaces, hyphens and underscores part no genres: services/api/identity.py has the rule.
CREATE TEMPORARY TABLE genre_key ON COMMIT DROP AS
SELECT id, key, first_value(id) OVER (PARTITION BY key ORDER BY tracks DESC, id) AS kept FROM (
    SELECT g.id, coalesce(nullif(translate(name_key, ' -_', ''), ''), name_key) AS key,
        (SELECT count(*) FROM track_genres WHERE genre_id = g.id) AS tracks
    FROM genres g
) g;
DELETE FROM track_genres tg USING genre_key k, track_genres earlier, genre_key e
WHERE k.id = tg.genre_id AND e.id = earlier.genre_id AND e.kept = k.kept
    AND earlier.track_id = tg.track_id AND earlier.position < tg.position;
UPDATE track_genres tg SET genre_id = k.kept FROM genre_key k WHERE k.id = tg.genre_id AND k.id <> k.kept;
INSERT INTO uncounted_spellings (id) SELECT DISTINCT kept FROM genre_key WHERE id <> kept;
DELETE FROM genres WHERE id IN (SELECT id FROM genre_key WHERE id <> kept);
UPDATE genres g SET name_key = k.key FROM genre_key k WHERE k.id = g.id AND g.name_key <> k.key;
