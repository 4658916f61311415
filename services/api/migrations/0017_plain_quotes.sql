-- Names are folded with plain apostrophes, quotes and dashes from now on; the keys that are stored follow.
-- A row whose plain key another one has keeps its own: the names of the files that are read again find
-- that other row, and what nothing refers to any longer goes as always.
CREATE FUNCTION pg_temp.plain(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT translate($1, '‘’‚‛ʼ′`“”„‟″«»‐‑‒–—―−', '''''''''''''''"""""""-------')
$$;
UPDATE artists a SET name_key = pg_temp.plain(name_key) WHERE name_key <> pg_temp.plain(name_key)
    AND NOT EXISTS (
        SELECT FROM artists o WHERE o.name_key = pg_temp.plain(a.name_key) AND o.id <> a.id
            AND o.musicbrainz_artist_id IS NOT DISTINCT FROM a.musicbrainz_artist_id
    )
    AND NOT EXISTS (
        SELECT FROM artists o WHERE pg_temp.plain(o.name_key) = pg_temp.plain(a.name_key) AND o.id < a.id
            AND o.musicbrainz_artist_id IS NOT DISTINCT FROM a.musicbrainz_artist_id
    );
UPDATE artists SET sort_key = pg_temp.plain(sort_key) WHERE sort_key <> pg_temp.plain(sort_key);
UPDATE genres g SET name_key = pg_temp.plain(name_key) WHERE name_key <> pg_temp.plain(name_key)
    AND NOT EXISTS (SELECT FROM genres o WHERE o.name_key = pg_temp.plain(g.name_key) AND o.id <> g.id)
    AND NOT EXISTS (
        SELECT FROM genres o WHERE pg_temp.plain(o.name_key) = pg_temp.plain(g.name_key) AND o.id < g.id
    );
UPDATE albums SET
    place_key = pg_temp.plain(place_key), owner_key = pg_temp.plain(owner_key),
    sort_key = pg_temp.plain(sort_key)
WHERE (place_key, owner_key, sort_key)
    <> (pg_temp.plain(place_key), pg_temp.plain(owner_key), pg_temp.plain(sort_key));
UPDATE tracks SET sort_key = pg_temp.plain(sort_key), artist_key = pg_temp.plain(artist_key)
WHERE (sort_key, artist_key) <> (pg_temp.plain(sort_key), pg_temp.plain(artist_key));
