"""All settings, in one list. Each is an environment variable `SONIQUEBAY_<NAME>`.

`docs/configuration.md` is generated from this list, and a test compares both.
"""

import os
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.contracts.analysis import MOST_HEARD_S
from shared.runtime.resources import this_machine, workers_for
from shared.runtime.setting_types import Folders, Names, Origins


def _data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "soniquebay"


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Names and addresses of this machine that other machines cannot reach."""


class Settings(BaseSettings):
    """The settings, with defaults that suit one machine."""

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
        None,
        description="Bearer token that clients of the gateway must present. Required beyond"
        " loopback.",
    )
    service_token: SecretStr | None = Field(
        None,
        description="Bearer token of the services. If it is set, only a caller that presents it may"
        " store tracks, analyses, vectors and covers; the services do.",
    )
    origins: Origins = Field(
        (),
        description="Origins of web pages that may use the gateway, separated by commas:"
        " `https://music.example, http://localhost:3000`. Default: none but the gateway's own.",
    )
    url_key: SecretStr | None = Field(
        None,
        description="Secret that signs the addresses of covers, which `<img>` fetches without a"
        " token. Several api processes need the same. Default: a random one in the data folder.",
    )
    gateway_url: str | None = Field(
        None,
        description="URL at which the command line and standalone services reach the gateway. "
        "Default: `host` and `port` on this machine.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="`postgresql://...` of an external PostgreSQL with pgvector. "
        "Default: one in the data folder, started and stopped by the api service.",
    )
    mounts: dict[str, str] = Field(
        default_factory=dict,
        description='Where the libraries are on this host, as JSON: `{"library name": "/path"}`. '
        "Default: the path that each was added with.",
    )
    roots: Folders = Field(
        (),
        description="Folders in which the roots of libraries may be, separated by commas. Requests"
        " for a new library anywhere else are refused; known libraries, and those of `soniquebay up"
        " --music`, are not concerned. Default: anywhere while `SONIQUEBAY_HOST` is this machine"
        " alone (loopback), nowhere beyond that.",
    )
    workers: int = Field(
        default_factory=lambda: workers_for(this_machine()).count,
        ge=1,
        description="Number of worker processes for the analysis. Default: one a core, as far as"
        " memory allows.",
    )
    worker_nice: int = Field(
        10,
        ge=0,
        le=19,
        description="Niceness of the worker processes: the higher, the more CPU time other programs"
        " get.",
    )
    readers: int = Field(
        default_factory=lambda: min(4, this_machine().cores),
        ge=1,
        description="Number of processes that read tags. Default: one a core, at most four.",
    )
    analysis_timeout_s: float = Field(
        300, gt=0, description="How long the analysis of a file may take."
    )
    analysis_heard_s: float = Field(
        MOST_HEARD_S,
        ge=60,
        le=MOST_HEARD_S,
        description="How many seconds of a longer track are analysed for tempo, key, timbre and"
        " meaning, in ten slices. Less is faster and less accurate (docs/analysis.md has figures)."
        " Levels are measured on the whole track.",
    )
    ignore: Names = Field(
        (),
        description="Names or patterns that scans ignore, separated by commas "
        "(`.soniqueignore` files in folders work too).",
    )
    watch: bool = Field(
        False,
        description="Whether the extractor watches the libraries and scans what changes. Of several"
        " extractors, let one do it. `soniquebay up` watches unless started with `--no-watch`."
        " Default: `False`; `soniquebay up` watches.",
    )
    scan_every_s: float | None = Field(
        None,
        gt=0,
        description="How often each whole library is scanned, watched or not."
        " Default: daily if it is watched, every 15 minutes if it should be but cannot be"
        " (network mounts, inotify's limits), else never.",
    )
    missing_guard_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="If a scan misses more than this share of the known files, it marks"
        " nothing missing and waits for `soniquebay scan DIR --accept-missing`.",
    )
    missing_guard_files: int = Field(
        50,
        ge=1,
        description="The number of known files from which that share counts. A scan that finds no"
        " file of a library at all always waits.",
    )
    credit_names: tuple[str, ...] = Field(
        (),
        description="Names with `&`, a comma or the like that are one artist: a JSON list, besides"
        " the well-known ones (AC/DC, Simon & Garfunkel). It applies to files read from then on;"
        " `soniquebay scan --full` reads all files again.",
    )
    credit_joins: tuple[str, ...] = Field(
        ("&", "with", "vs", "vs.", "versus", "x", "presents", "pres."),
        description="Separators between artists, besides `feat.`, `;` and ` / `: a JSON list."
        " Commas split lists such as `A, B & C`; with `,` in this list they always split.",
    )
    acoustid_key: SecretStr | None = Field(
        None, description="AcoustID application key; with it fingerprints are looked up."
    )
    acoustid_per_s: float = Field(
        3,
        gt=0,
        le=3,
        description="Look-ups a second of one analyzer. AcoustID allows 3 for all together.",
    )
    embedder: str = Field(
        "wordllama", pattern="^(wordllama|ollama)$", description="What embeds texts."
    )
    ollama_url: str = Field("http://127.0.0.1:11434", description="Address of Ollama.")
    ollama_model: str = Field("all-minilm", description="Ollama's embedding model.")
    search: str = Field(
        "tantivy", pattern="^(tantivy|opensearch)$", description="The search engine."
    )
    opensearch_url: str = Field("http://127.0.0.1:9200", description="Address of OpenSearch.")
    opensearch_user: str | None = Field(
        None, description="User name for OpenSearch, if it needs one."
    )
    opensearch_password: SecretStr | None = Field(None, description="Password of that user.")
    bus: str = Field(
        "in_process",
        pattern="^(in_process|kafka)$",
        description="The event bus. A standalone service needs `kafka`.",
    )
    kafka_servers: str = Field(
        "127.0.0.1:9092",
        min_length=1,
        description="Kafka or Redpanda: `host:port` of brokers, separated by commas.",
    )
    kafka_partitions: int = Field(
        12,
        ge=1,
        description="Partitions of topics that are created at the start: also the number of"
        " members of a group that can work at a time. Existing topics stay as they are.",
    )
    kafka_replicas: int = Field(
        1,
        ge=1,
        description="Number of brokers that keep each record of topics created at the start.",
    )
    health_host: str = Field(
        "127.0.0.1",
        description="Address where a standalone service answers `/healthz`, `/readyz`, `/metrics`"
        " and `/asyncapi`, without a token.",
    )
    health_port: int = Field(
        8708, ge=0, le=65535, description="Port of that address; 0 takes a free one."
    )
    bus_capacity: int = Field(
        50_000,
        ge=100,
        description="Records that a topic of the in-process bus holds before publishers wait.",
    )
    reconcile_s: float = Field(
        5, gt=0, description="How often the reconciler looks for stalled scans and tracks."
    )
    housekeeping_every_s: float = Field(
        86_400,
        gt=0,
        description="How often the api deletes what is no longer needed (the next five settings);"
        " first a minute after its start.",
    )
    unused_covers_kept_days: float = Field(
        7,
        ge=1,
        description="How long images are kept that no track, album or artist has any longer.",
    )
    resolved_failures_kept_days: float = Field(
        30, ge=0, description="How long failures are kept after they were resolved."
    )
    dead_letters_kept_days: float = Field(
        180, ge=0, description="How long dead letters are kept that are about no track and no file."
    )
    old_analyses_kept_days: float = Field(
        30,
        ge=0,
        description="How long the analysis of an earlier analyzer version is kept after a track was"
        " analysed by the current one: for a return to the earlier version.",
    )
    retired_vectors_kept_days: float = Field(
        30,
        ge=0,
        description="How long vectors and their index are kept after another model replaced theirs:"
        " for a return to that model.",
    )
    drain_timeout_s: float = Field(
        60, gt=0, description="How long a stop waits for batches in flight."
    )
    log_level: str = Field(
        "warning",
        pattern="^(debug|info|warning|error)$",
        description="How much is logged. `soniquebay up` logs only errors, unless this is set.",
    )

    @field_validator(
        "token", "service_token", "url_key", "acoustid_key", "database_url", "scan_every_s",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        # A compose file passes an unset variable on as an empty one.
        return None if isinstance(value, str) and not value.strip() else value

    @property
    def gateway_address(self) -> str:
        """The base URL of the gateway, without a trailing slash."""
        return (self.gateway_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def is_local(self) -> bool:
        """Whether the gateway listens on loopback alone: nobody else can reach it."""
        return self.host in LOOPBACK

    @property
    def allowed_roots(self) -> tuple[str, ...] | None:
        """The folders in which new libraries may be; None: anywhere."""
        return None if self.is_local and not self.roots else self.roots

    @property
    def search_dir(self) -> Path:
        """The folder of the embedded search index."""
        return self.data_dir / "search"
