"""The vectorizer: computes audio and text vectors of tracks."""
