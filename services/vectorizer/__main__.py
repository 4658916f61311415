"""Runs the vectorizer alone, which needs a bus between processes."""

import sys

if __name__ == "__main__":
    sys.stderr.write(
        "The vectorizer runs alone on the Kafka bus, which is not there yet:"
        " `soniquebay up` runs it together with the others.\n"
    )
    sys.exit(2)
