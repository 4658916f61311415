-- How much of a track was heard for what needs its spectrum: up to ten minutes were until now.
ALTER TABLE analyses ADD COLUMN heard_s double precision;
UPDATE analyses SET heard_s = least(analyzed_duration_s, 600);
ALTER TABLE analyses ALTER COLUMN heard_s SET NOT NULL;
