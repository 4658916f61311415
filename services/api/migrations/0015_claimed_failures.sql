-- A failure that is being replayed is claimed until its record is published.
ALTER TABLE failures ADD COLUMN claimed_at timestamptz;
