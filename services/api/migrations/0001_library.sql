-- The library. Names: MusicBrainz's. Text that is sorted is compared by bytes ("C"), folded before.
CREATE EXTENSION IF NOT EXISTS vector;

CREATE TABLE libraries (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL UNIQUE,
    root text COLLATE "C" NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Images by content. The bytes are apart, so that looking at the facts never reads them.
CREATE TABLE covers (
    sha256 bytea PRIMARY KEY CHECK (length(sha256) = 32),
    mime_type text NOT NULL,
    width integer,
    height integer,
    size_bytes bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE cover_contents (
    sha256 bytea PRIMARY KEY REFERENCES covers ON DELETE CASCADE,
    content bytea NOT NULL
);
ALTER TABLE cover_contents ALTER COLUMN content SET STORAGE EXTERNAL;

CREATE TABLE artists (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    sort_name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,       -- folded: case, accents, width, white space
    sort_key text COLLATE "C" NOT NULL,       -- folded sort name: the keyset order
    musicbrainz_artist_id uuid,
    image_sha256 bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
-- Two artists of one name are two only where MusicBrainz says so.
CREATE UNIQUE INDEX artists_natural_key ON artists (name_key, musicbrainz_artist_id) NULLS NOT DISTINCT;
CREATE INDEX artists_musicbrainz ON artists (musicbrainz_artist_id);
CREATE INDEX artists_order ON artists (sort_key, id);

CREATE TABLE albums (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    natural_key text COLLATE "C" NOT NULL UNIQUE,  -- made by services/api/identity.py
    title text NOT NULL,
    sort_key text COLLATE "C" NOT NULL,
    artist_credit text NOT NULL,              -- as credited, joined
    artist_key text COLLATE "C" NOT NULL,     -- folded
    release_date text,                        -- as precise as known: YYYY, YYYY-MM, YYYY-MM-DD
    year smallint,
    original_date text,
    is_compilation boolean NOT NULL DEFAULT false,
    disc_total smallint,
    release_type text,
    label text,
    catalogue_number text,
    barcode text,
    country text,
    media text,
    musicbrainz_release_id uuid,
    musicbrainz_release_group_id uuid,
    cover_sha256 bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX albums_artist_title ON albums (artist_key, sort_key);
CREATE INDEX albums_musicbrainz ON albums (musicbrainz_release_id);
CREATE INDEX albums_order_title ON albums (sort_key, id);
CREATE INDEX albums_order_year ON albums (year, id);
CREATE TABLE album_credits (
    album_id uuid NOT NULL REFERENCES albums ON DELETE CASCADE,
    position smallint NOT NULL,
    artist_id uuid NOT NULL REFERENCES artists ON DELETE CASCADE,
    credited_as text NOT NULL,
    join_phrase text NOT NULL DEFAULT '',
    PRIMARY KEY (album_id, position)
);
CREATE INDEX album_credits_artist ON album_credits (artist_id, album_id);

CREATE TABLE genres (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL UNIQUE
);
CREATE INDEX genres_order ON genres (name_key, id);

CREATE TABLE scans (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    library_id uuid REFERENCES libraries ON DELETE CASCADE,  -- null: refused before it was known
    root text NOT NULL,
    folder text NOT NULL DEFAULT '',
    mode text NOT NULL,
    state text NOT NULL DEFAULT 'requested'
        CHECK (state IN ('requested', 'walking', 'reading', 'finished', 'refused')),
    message text,                             -- why it was refused, or what was not done
    files_seen bigint NOT NULL DEFAULT 0,
    files_to_read bigint NOT NULL DEFAULT 0,
    files_unchanged bigint NOT NULL DEFAULT 0,
    files_missing bigint NOT NULL DEFAULT 0,
    files_read bigint NOT NULL DEFAULT 0,     -- each file once, counted when `files` names this scan
    files_failed bigint NOT NULL DEFAULT 0,   -- set at the end; until then the open failures count
    files_before bigint NOT NULL DEFAULT 0,   -- done before the present walk: it won't find them
    walks integer NOT NULL DEFAULT 0,         -- more than one where a walk was cut off
    requested_at timestamptz NOT NULL DEFAULT now(),
    moved_at timestamptz NOT NULL DEFAULT now(),  -- last sign of life
    finished_at timestamptz
);
CREATE INDEX scans_order ON scans (requested_at DESC, id);
-- One at a time: a second request for the same joins the one at work.
CREATE UNIQUE INDEX scans_active ON scans (library_id, folder, mode)
    WHERE state IN ('requested', 'walking', 'reading');

CREATE TABLE tracks (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Counts every change of what is shown of the track; the search document has this version.
    revision bigint NOT NULL DEFAULT 1,
    -- Counts the contents its file has had; analysis and vectors say which one they describe.
    content_revision integer NOT NULL DEFAULT 1,
    is_missing boolean NOT NULL DEFAULT false,
    title text NOT NULL,
    title_is_file_name boolean NOT NULL DEFAULT false,
    sort_key text COLLATE "C" NOT NULL,
    artist_credit text NOT NULL,              -- as credited, joined; '' where unknown
    artist_key text COLLATE "C" NOT NULL,
    album_id uuid REFERENCES albums ON DELETE SET NULL,
    track_number integer,
    track_total integer,
    disc_number integer,
    disc_total integer,
    disc_subtitle text,
    release_date text,
    year smallint,
    original_date text,
    isrcs text[] NOT NULL DEFAULT '{}',
    tag_bpm real,
    comment text,
    language text,
    has_lyrics boolean NOT NULL DEFAULT false,
    musicbrainz_recording_id uuid,
    musicbrainz_track_id uuid,
    replaygain_track_gain_db real,
    replaygain_track_peak real,
    replaygain_album_gain_db real,
    replaygain_album_peak real,
    container text NOT NULL,                  -- mp3, flac, ogg, mp4, ...
    codec text NOT NULL,
    duration_s double precision NOT NULL,
    bitrate_bps integer,
    sample_rate_hz integer,
    channels smallint,
    bit_depth smallint,
    cover_sha256 bytea,                       -- the embedded one
    -- Of everything the extractor said, credits and genres too: an equal one changes nothing.
    tags_digest bytea NOT NULL,
    -- How far it is on the way. Derived: kept beside the truth so that progress is one quick look.
    analyzer_version text,
    analyzed_content_revision integer,
    vectorized_content_revision integer,
    indexed_revision bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tracks_album ON tracks (album_id, disc_number, track_number);
CREATE INDEX tracks_musicbrainz ON tracks (musicbrainz_recording_id);
CREATE INDEX tracks_order_title ON tracks (sort_key, id);
CREATE INDEX tracks_order_artist ON tracks (artist_key, id);
CREATE INDEX tracks_order_year ON tracks (year, id);
CREATE INDEX tracks_order_created ON tracks (created_at, id);
CREATE INDEX tracks_order_duration ON tracks (duration_s, id);
-- What is not through; both are empty when there is nothing to do.
CREATE INDEX tracks_not_indexed ON tracks (id) WHERE indexed_revision < revision;
CREATE INDEX tracks_not_complete ON tracks (id) WHERE NOT is_missing AND (
    analyzed_content_revision IS DISTINCT FROM content_revision
    OR vectorized_content_revision IS DISTINCT FROM content_revision
);

CREATE TABLE files (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    library_id uuid NOT NULL REFERENCES libraries ON DELETE CASCADE,
    path text COLLATE "C" NOT NULL,           -- as shared/contracts/identity.py encodes it
    size_bytes bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('present', 'missing', 'unreadable')),
    track_id uuid UNIQUE REFERENCES tracks ON DELETE CASCADE,  -- null: never could be read
    read_by_scan_id uuid REFERENCES scans ON DELETE SET NULL,
    missing_since timestamptz,
    UNIQUE (library_id, path)
);
CREATE INDEX files_scan ON files (read_by_scan_id);

CREATE TABLE track_credits (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    role text NOT NULL,                       -- artist, composer, lyricist, conductor, remixer, ...
    position smallint NOT NULL,
    artist_id uuid NOT NULL REFERENCES artists ON DELETE CASCADE,
    credited_as text NOT NULL,
    join_phrase text NOT NULL DEFAULT '',
    PRIMARY KEY (track_id, role, position)
);
CREATE INDEX track_credits_artist ON track_credits (artist_id, role, track_id);
CREATE TABLE track_genres (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    position smallint NOT NULL,
    genre_id uuid NOT NULL REFERENCES genres ON DELETE CASCADE,
    PRIMARY KEY (track_id, position)
);
CREATE INDEX track_genres_genre ON track_genres (genre_id, track_id);

-- One row a track and analyzer version. Columns: shared/contracts/analysis.py, units there.
CREATE TABLE analyses (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    analyzer_version text NOT NULL,
    content_revision integer NOT NULL,
    analyzed_at timestamptz NOT NULL DEFAULT now(),
    analyzed_duration_s double precision NOT NULL,
    tempo_bpm real NOT NULL,
    tempo_confidence real NOT NULL,
    tempo_alternative_bpm real NOT NULL,
    onset_rate_hz real NOT NULL,
    danceability real NOT NULL,
    key text NOT NULL,
    mode text NOT NULL,
    key_confidence real NOT NULL,
    camelot text NOT NULL,
    tuning_cents real NOT NULL,
    chroma_mean real[] NOT NULL,
    loudness_lufs real NOT NULL,
    loudness_range_lu real NOT NULL,
    peak_dbfs real NOT NULL,
    replaygain_track_gain_db real NOT NULL,
    dynamic_range_db real NOT NULL,
    crest_db real NOT NULL,
    energy real NOT NULL,
    brightness real NOT NULL,
    spectral_centroid_hz real NOT NULL,
    spectral_bandwidth_hz real NOT NULL,
    spectral_rolloff_hz real NOT NULL,
    spectral_flatness real NOT NULL,
    spectral_contrast_db real[] NOT NULL,
    zero_crossing_rate real NOT NULL,
    mfcc_mean real[] NOT NULL,
    mfcc_std real[] NOT NULL,
    silence_start_s real NOT NULL,
    silence_end_s real NOT NULL,
    silence_share real NOT NULL,
    clipping_share real NOT NULL,
    waveform smallint[] NOT NULL,
    fingerprint text,
    acoustid_id text,
    damaged boolean NOT NULL DEFAULT false,
    digest bytea NOT NULL,                    -- of all of it: an equal one changes nothing
    PRIMARY KEY (track_id, analyzer_version)
);
CREATE INDEX analyses_tempo ON analyses (analyzer_version, tempo_bpm);
CREATE INDEX analyses_key ON analyses (analyzer_version, camelot);

-- A space: vectors of one kind, comparable with each other. Its HNSW index is made with it.
CREATE TABLE vector_spaces (
    id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    space text NOT NULL CHECK (space IN ('audio', 'text')),
    model text NOT NULL,
    version text NOT NULL,
    dimensions smallint NOT NULL,
    is_current boolean NOT NULL,
    UNIQUE (space, model, version, dimensions)
);
CREATE UNIQUE INDEX vector_spaces_current ON vector_spaces (space) WHERE is_current;
CREATE TABLE track_vectors (
    track_id uuid NOT NULL REFERENCES tracks ON DELETE CASCADE,
    vector_space_id smallint NOT NULL REFERENCES vector_spaces ON DELETE CASCADE,
    content_revision integer NOT NULL,        -- 0: of an analysis that no longer stands
    embedding vector NOT NULL,                -- unit length
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (track_id, vector_space_id)
);

-- The search index that `tracks.indexed_revision` speaks of; another generation is an empty one.
CREATE TABLE search_generation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    generation text NOT NULL
);

CREATE TABLE failures (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    stage text NOT NULL,                      -- consumer group
    subject text NOT NULL,                    -- track id, library id and path, or event id
    kind text NOT NULL CHECK (kind IN ('invalid', 'transient', 'dependency', 'bug')),
    message text NOT NULL,
    detail text NOT NULL DEFAULT '',
    attempts integer NOT NULL DEFAULT 1,
    track_id uuid REFERENCES tracks ON DELETE CASCADE,
    library_id uuid REFERENCES libraries ON DELETE CASCADE,
    path text COLLATE "C",
    scan_id uuid REFERENCES scans ON DELETE SET NULL,
    event_topic text NOT NULL,
    event_key bytea NOT NULL,
    event_value bytea NOT NULL,
    event_headers jsonb NOT NULL DEFAULT '{}',
    failed_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    UNIQUE (stage, subject)
);
CREATE INDEX failures_open ON failures (failed_at DESC, id) WHERE resolved_at IS NULL;
CREATE INDEX failures_track ON failures (track_id) WHERE resolved_at IS NULL;
CREATE INDEX failures_path ON failures (library_id, path) WHERE resolved_at IS NULL;
CREATE INDEX failures_scan ON failures (scan_id) WHERE resolved_at IS NULL;
