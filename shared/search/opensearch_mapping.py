"""The fields of the OpenSearch index, and documents as lines of a bulk request. Pure."""

import json
from typing import Any

from shared.search.fields import NAMES, SEARCHED, Item, fields

_WORDS = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
_FACET = {"type": "keyword", "index": False}
_WHOLE = {"type": "keyword", "doc_values": False}


def body() -> dict[str, Any]:
    """What an index is created with.

    One shard: scores compare within a shard only, and it holds millions of tracks. A second node,
    where there is one, gets a copy.
    """
    return {
        "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
        "mappings": {"dynamic": False, "properties": _properties()},
    }


def _properties() -> dict[str, Any]:
    properties: dict[str, Any] = dict.fromkeys(SEARCHED, _WORDS)
    for name in NAMES:
        properties[f"{name}_facet"] = _FACET
        properties[f"{name}_whole"] = _WHOLE
    return properties | {
        "alive": {"type": "boolean"},
        "year": {"type": "long"},
        "tempo_bpm": {"type": "double"},
        "order": {"type": "keyword", "index": False},
    }


def lines(item: Item) -> str:
    """The two lines that store it unless a later version is there.

    Deleted tracks are stored too: what OpenSearch itself keeps of a deletion expires after a
    minute, and a late event would bring the track back. The same version is written again: it may
    have been made by an older form of the fields.
    """
    about = {
        "index": {"_id": item.track_id, "version": item.version, "version_type": "external_gte"}
    }
    return f"{_json(about)}\n{_json(fields(item))}\n"


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
