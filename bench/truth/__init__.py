"""The truth suite: generated music and signals whose tempo, key and levels are known."""
