"""The analyzer: decodes audio files and analyses how they sound."""
