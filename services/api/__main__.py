"""Runs the api alone, which needs a bus between processes."""

import sys

if __name__ == "__main__":
    sys.stderr.write(
        "The api runs alone on the Kafka bus, which is not there yet: without the workers nothing"
        " would answer a scan. `soniquebay up` runs it together with the others.\n"
    )
    sys.exit(2)
