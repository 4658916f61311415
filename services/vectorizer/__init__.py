"""The vectorizer turns analyses and texts into vectors."""
