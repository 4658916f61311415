-- What files say of their album, each thing that is said once. An album's row is what most of its
-- tracks say now: so it takes back what was retagged, whatever the order in which files are read.
CREATE TABLE album_claims (
    album_id uuid NOT NULL REFERENCES albums ON DELETE CASCADE,
    claim text COLLATE "C" NOT NULL,          -- a digest of what is said, made by who read it
    facts jsonb NOT NULL,                     -- columns of `albums`, and the credits
    artist_ids uuid[] NOT NULL,               -- of the credits: they are kept while this is
    claimed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (album_id, claim)
);
CREATE INDEX album_claims_artists ON album_claims USING gin (artist_ids);
ALTER TABLE tracks
    ADD COLUMN album_claim text COLLATE "C",
    ADD COLUMN folder_cover_sha256 bytea;     -- the image beside it
CREATE INDEX tracks_missing ON tracks (id) WHERE is_missing;
DROP INDEX tracks_album;
CREATE INDEX tracks_album ON tracks (album_id, disc_number, track_number) INCLUDE (is_missing);

-- An album is found by its place; whose it is, its tracks may tell later. Those who make albums
-- take turns, so no unique key is needed, and tracks that refer to an album don't hold up a change.
ALTER TABLE albums DROP CONSTRAINT albums_natural_key_key;
ALTER TABLE albums RENAME COLUMN natural_key TO place_key;
ALTER TABLE albums
    ADD COLUMN owner_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN retitled_at timestamptz;       -- its tracks are to be shown anew
-- Keys of before: 'album', library, folder, title, artist, year; or 'various', library, folder, title.
UPDATE albums SET
    owner_key = CASE split_part(place_key, E'\x1f', 1)
        WHEN 'various' THEN 'various'
        WHEN 'album' THEN concat_ws(
            E'\x1f', 'artist', split_part(place_key, E'\x1f', 5),
            CASE WHEN split_part(place_key, E'\x1f', 3) = '' THEN split_part(place_key, E'\x1f', 6) END
        )
        ELSE ''
    END,
    place_key = CASE
        WHEN place_key LIKE E'mb\x1f%' THEN place_key
        ELSE concat_ws(
            E'\x1f', split_part(place_key, E'\x1f', 2), split_part(place_key, E'\x1f', 3),
            split_part(place_key, E'\x1f', 4)
        )
    END;
CREATE INDEX albums_place ON albums (place_key);
CREATE INDEX albums_retitled ON albums (id) WHERE retitled_at IS NOT NULL;
