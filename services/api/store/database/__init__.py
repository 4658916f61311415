"""The database: a pool of connections (`postgres`), and our own server (`embedded`)."""
