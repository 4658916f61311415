"""From a file to samples: libsndfile and FFmpeg's libraries, and the excerpt of a long track."""
