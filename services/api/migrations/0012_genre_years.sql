-- A genre's tracks by year: the year stands beside the genre, so that a page of them is led by one
-- index, however many tracks the genre has. Who writes a track's year writes its genres with it.
ALTER TABLE track_genres ADD COLUMN year smallint;
UPDATE track_genres g SET year = t.year FROM tracks t WHERE t.id = g.track_id AND t.year IS NOT NULL;
CREATE INDEX track_genres_year ON track_genres (genre_id, year, track_id);
DROP INDEX track_genres_genre;
