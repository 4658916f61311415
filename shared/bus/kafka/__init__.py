"""The bus on Kafka or Redpanda: the only package that imports aiokafka and FastStream.

A record goes out through `publisher`. It comes in through `consumer`, which a `member` of the
consumer group polls; `in_flight` has the batch handled and commits it.
"""

from shared.bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
