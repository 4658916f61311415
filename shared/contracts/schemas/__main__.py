"""Write the JSON Schemas of all events."""

import sys

from shared.contracts.schemas import write_all

for path in write_all():
    sys.stdout.write(f"{path}\n")
