-- A person paused the analysis: one row while it is so.
CREATE TABLE analysis_pause (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    paused_at timestamptz NOT NULL DEFAULT now()
);
