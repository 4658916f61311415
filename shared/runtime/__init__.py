"""What every service needs to run.

`standalone` runs one service in a process of its own; `service` is what it runs. All share
`settings`, `logs`, `metrics` and `http`. `workers` runs CPU work in processes, as many as
`resources` allow. `breaker` protects servers that fail. `reference_pages` writes docs from code.
"""
