"""The front door: the command line, and `up`, which runs all services in one process."""
