"""All settings, in one list. Each is an environment variable `SONIQUEBAY_<NAME>`.

`docs/configuration.md` is made from this list and compared with it by a test.
"""

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.contracts.analysis import MOST_HEARD_S
from shared.runtime.resources import this_machine, workers_for


def _data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "soniquebay"


class Settings(BaseSettings):
    """What can be set, with the default that suits one machine."""

    model_config = SettingsConfigDict(env_prefix="SONIQUEBAY_", extra="ignore")

    data_dir: Path = Field(
        default_factory=_data_dir,
        description="Where the database and the search index live. "
        "Default: `soniquebay` in `$XDG_DATA_HOME`, or in `~/.local/share`.",
    )
    host: str = Field(
        "127.0.0.1",
        description="Address the gateway listens on. Beyond loopback a token is required.",
    )
    port: int = Field(8707, ge=0, le=65535, description="Port of the gateway; 0 takes a free one.")
    token: SecretStr | None = Field(
        None, description="Bearer token that the gateway asks for. Required beyond loopback."
    )
    service_token: SecretStr | None = Field(
        None,
        description="Bearer token of the services. Where it is set, only who presents it may store"
        " tracks, analyses, vectors and covers; the services themselves do.",
    )
    gateway_url: str | None = Field(
        None,
        description="Where the command line and services that run alone find the gateway. "
        "Default: `host` and `port` on this machine.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="postgresql://... of an outside PostgreSQL with pgvector. "
        "Default: one in the data folder, started and stopped by the api service.",
    )
    mounts: dict[str, str] = Field(
        default_factory=dict,
        description='Where this host has the libraries: JSON, `{"library name": "/path"}`. '
        "Default: at the root they were added with.",
    )
    workers: int = Field(
        default_factory=lambda: workers_for(this_machine()).count,
        ge=1,
        description="Worker processes for the analysis. Default: one a core, where memory allows.",
    )
    worker_nice: int = Field(
        10,
        ge=0,
        le=19,
        description="Niceness of these: the higher, the more they leave to whatever else runs.",
    )
    readers: int = Field(
        default_factory=lambda: min(4, this_machine().cores),
        ge=1,
        description="Worker processes that read tags. Default: one a core, at most four.",
    )
    analysis_timeout_s: float = Field(
        300, gt=0, description="Longest time one file's analysis may take."
    )
    analysis_heard_s: float = Field(
        MOST_HEARD_S,
        ge=60,
        le=MOST_HEARD_S,
        description="Of a longer track so many seconds are heard for tempo, key, timbre and"
        " meaning, in ten slices; less is quicker, and less sure (docs/analysis.md says how much)."
        " Levels are measured on all of it.",
    )
    ignore: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names or patterns the scan passes over, separated by commas "
        "(`.soniqueignore` files in the folders work too).",
    )
    watch: bool = Field(
        False,
        description="Whether the extractor watches the libraries and scans what changes. Of several"
        " extractors let one do it. `soniquebay up` does unless told `--no-watch`."
        " Default: `False`; `soniquebay up` watches.",
    )
    scan_every_s: float | None = Field(
        None,
        gt=0,
        description="How often each library is scanned whole by the clock, watched or not."
        " Default: daily where it is watched, every 15 minutes where it was to be and cannot"
        " (network mounts, inotify's limits), else never.",
    )
    missing_guard_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="A scan that sees so much less than what is known (a share of it) marks"
        " nothing missing and waits for `soniquebay scan DIR --accept-missing`.",
    )
    missing_guard_files: int = Field(
        50,
        ge=1,
        description="From so many known files on; a library of which nothing is seen waits always.",
    )
    credit_names: tuple[str, ...] = Field(
        (),
        description="Names with `&`, a comma or the like that are one artist's: a JSON list, beside"
        " the well-known ones (AC/DC, Simon & Garfunkel). Counts for what is read from then on:"
        " `soniquebay scan --full` reads all anew.",
    )
    credit_joins: tuple[str, ...] = Field(
        ("&", "with", "vs", "vs.", "versus", "x", "presents", "pres."),
        description="What stands between artists, beside `feat.`, `;` and ` / `: a JSON list."
        " Commas split lists such as `A, B & C`; with `,` in this list they split always.",
    )
    acoustid_key: SecretStr | None = Field(
        None, description="AcoustID application key; with it fingerprints are looked up."
    )
    acoustid_per_s: float = Field(
        3,
        gt=0,
        le=3,
        description="Look-ups a second of one analyzer. AcoustID allows 3 to all of them together.",
    )
    embedder: str = Field(
        "wordllama", pattern="^(wordllama|ollama)$", description="Who embeds texts."
    )
    ollama_url: str = Field("http://127.0.0.1:11434", description="Address of Ollama.")
    ollama_model: str = Field("all-minilm", description="Ollama's embedding model.")
    search: str = Field(
        "tantivy", pattern="^(tantivy|opensearch)$", description="The search engine."
    )
    opensearch_url: str = Field("http://127.0.0.1:9200", description="Address of OpenSearch.")
    opensearch_user: str | None = Field(None, description="Who logs in to OpenSearch, if it asks.")
    opensearch_password: SecretStr | None = Field(None, description="That user's password.")
    bus: str = Field(
        "in_process",
        pattern="^(in_process|kafka)$",
        description="How events travel. A service that runs alone needs `kafka`.",
    )
    kafka_servers: str = Field(
        "127.0.0.1:9092",
        min_length=1,
        description="Kafka or Redpanda: `host:port` of brokers, separated by commas.",
    )
    kafka_partitions: int = Field(
        12,
        ge=1,
        description="Partitions of topics that are made at the start: the most members of a group"
        " that can work at a time. Topics that exist stay as they are.",
    )
    kafka_replicas: int = Field(
        1, ge=1, description="Brokers that keep each record of topics made at the start."
    )
    health_host: str = Field(
        "127.0.0.1",
        description="Address where a service that runs alone answers `/healthz`, `/readyz`,"
        " `/metrics` and `/asyncapi`, without a token.",
    )
    health_port: int = Field(8708, ge=0, le=65535, description="Port of these; 0 takes a free one.")
    bus_capacity: int = Field(
        50_000, ge=100, description="Records the in-process bus holds a topic before it waits."
    )
    reconcile_s: float = Field(
        5, gt=0, description="How often the reconciler looks for what stands still."
    )
    drain_timeout_s: float = Field(
        60, gt=0, description="How long a stop waits for the work in flight."
    )
    log_level: str = Field(
        "warning",
        pattern="^(debug|info|warning|error)$",
        description="How much is logged. `soniquebay up` logs errors only, unless told.",
    )

    @field_validator("ignore", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "token", "service_token", "acoustid_key", "database_url", "scan_every_s", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        # What a compose file passes on unset arrives empty.
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def gateway_address(self) -> str:
        """The gateway's base URL, without a trailing slash."""
        return (self.gateway_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def search_dir(self) -> Path:
        """The embedded search index's folder."""
        return self.data_dir / "search"
