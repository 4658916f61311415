"""The bus on Kafka or Redpanda: the only room that imports aiokafka and FastStream."""

from shared.bus.kafka.bus import KafkaBus

__all__ = ["KafkaBus"]
