"""What every service needs to run: settings, lifecycle, logs, metrics, worker processes."""
