-- What a trained model hears, beside what was measured: an analysis has it or says why not. And
-- more of what is measured; older analyses, which answer until they are made anew, have none of it.
ALTER TABLE analyses
    ADD COLUMN meaning_absence text,
    ADD COLUMN beat_times_s real[] NOT NULL DEFAULT '{}',
    ADD COLUMN beats_per_bar integer NOT NULL DEFAULT 0,
    ADD COLUMN first_downbeat integer NOT NULL DEFAULT 0,
    ADD COLUMN downbeat_confidence real NOT NULL DEFAULT 0,
    ADD COLUMN tempo_stability real NOT NULL DEFAULT 0,
    ADD COLUMN open_key text NOT NULL DEFAULT '',
    ADD COLUMN second_key text NOT NULL DEFAULT '',
    ADD COLUMN second_mode text NOT NULL DEFAULT '',
    ADD COLUMN key_changes jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN loudness_short_term_max_lufs real NOT NULL DEFAULT -70,
    ADD COLUMN loudness_histogram integer[] NOT NULL DEFAULT '{}',
    ADD COLUMN true_peak_dbtp real NOT NULL DEFAULT -120,
    ADD COLUMN roughness real NOT NULL DEFAULT 0,
    ADD COLUMN fade_in_s real NOT NULL DEFAULT 0,
    ADD COLUMN fade_out_s real NOT NULL DEFAULT 0,
    ADD COLUMN section_boundaries_s real[] NOT NULL DEFAULT '{}',
    ADD COLUMN dc_offset real NOT NULL DEFAULT 0,
    ADD COLUMN stereo_width real NOT NULL DEFAULT 0,
    ADD COLUMN is_mono_in_stereo boolean NOT NULL DEFAULT false,
    ADD COLUMN bandwidth_hz real NOT NULL DEFAULT 0,
    ADD COLUMN bandwidth_kind text NOT NULL DEFAULT 'natural';
-- Columns: shared/contracts/meaning.py. A score is `<name>`, its confidence `<name>_confidence`.
CREATE TABLE meanings (
    track_id uuid NOT NULL,
    analyzer_version text NOT NULL,
    model text NOT NULL,
    version text NOT NULL,
    patches integer NOT NULL,
    tags jsonb NOT NULL,
    genre text,
    genre_confidence real NOT NULL,
    aggressive real NOT NULL,
    aggressive_confidence real NOT NULL,
    relaxed real NOT NULL,
    relaxed_confidence real NOT NULL,
    party real NOT NULL,
    party_confidence real NOT NULL,
    happy real NOT NULL,
    happy_confidence real NOT NULL,
    sad real NOT NULL,
    sad_confidence real NOT NULL,
    acoustic real NOT NULL,
    acoustic_confidence real NOT NULL,
    electronic real NOT NULL,
    electronic_confidence real NOT NULL,
    instrumental real NOT NULL,
    instrumental_confidence real NOT NULL,
    energy real NOT NULL,
    energy_confidence real NOT NULL,
    valence real NOT NULL,
    valence_confidence real NOT NULL,
    arousal real NOT NULL,
    arousal_confidence real NOT NULL,
    embedding real[] NOT NULL,
    PRIMARY KEY (track_id, analyzer_version),
    FOREIGN KEY (track_id, analyzer_version) REFERENCES analyses ON DELETE CASCADE
);
CREATE INDEX meanings_genre ON meanings (analyzer_version, genre);

-- The model that the analyzers hear with now: its embeddings are the audio vectors.
CREATE TABLE audio_model (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    model text NOT NULL,
    version text NOT NULL,
    dimensions integer NOT NULL
);
