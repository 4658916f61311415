"""Runs the analyzer alone, which needs a bus between processes."""

import sys

if __name__ == "__main__":
    sys.stderr.write(
        "The analyzer runs alone on the Kafka bus, which is not there yet: `soniquebay up` runs it"
        " together with the others.\n"
    )
    sys.exit(2)
