"""Ids of new things."""

import os
import uuid

from asyncpg.pgproto.pgproto import UUID


def new_id() -> uuid.UUID:
    """A random id: a UUID of version 4 (RFC 9562).

    Of the driver's kind, as all ids are that were read: it is made, compared, hashed and written
    several times as quickly as Python's, and equals that one.
    """
    random = bytearray(os.urandom(16))
    random[6] = random[6] & 0x0F | 0x40
    random[8] = random[8] & 0x3F | 0x80
    made: uuid.UUID = UUID(bytes(random))
    return made
