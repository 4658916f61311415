-- Smaller images, made when they are asked for.
CREATE TABLE cover_variants (
    sha256 bytea NOT NULL REFERENCES covers ON DELETE CASCADE,
    size_px smallint NOT NULL,                -- the longer side
    mime_type text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (sha256, size_px)
);
ALTER TABLE cover_variants ALTER COLUMN content SET STORAGE EXTERNAL;
-- Why an image of the file, or beside it, is not shown.
ALTER TABLE tracks ADD COLUMN cover_problem text;
-- Which images lay beside a file when it was read (names, sizes, times); null: not known.
ALTER TABLE files ADD COLUMN images_digest integer;
