-- Each file that is read names its scan, one for thousands of files. That it is there is seen to once a
-- batch (it is locked then). Old scans are forgotten; a file that names one was read before all others.
ALTER TABLE files DROP CONSTRAINT files_read_by_scan_id_fkey;
-- No query is led by these two.
DROP INDEX files_scan, tracks_musicbrainz;
-- What is not analysed yet has no key: it need not be in the indexes of keys.
DROP INDEX tracks_key, tracks_camelot;
CREATE INDEX tracks_key ON tracks (key, mode, tempo_bpm) WHERE key IS NOT NULL;
CREATE INDEX tracks_camelot ON tracks (camelot, tempo_bpm) WHERE camelot IS NOT NULL;
