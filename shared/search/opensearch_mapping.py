"""The mapping of the OpenSearch index, and documents as lines of a bulk request. Pure."""

import json
from typing import Any

from shared.search.fields import NAMES, SEARCHED, Item, fields

_WORDS = {"type": "text", "analyzer": "whitespace", "index_options": "freqs"}
_FACET = {"type": "keyword", "index": False}
_WHOLE = {"type": "keyword", "doc_values": False}


def body() -> dict[str, Any]:
    """Return the body of the request that creates an index.

    It has one shard, since scores compare within a shard only; that holds millions of tracks. A
    second node, if there is one, gets a copy.
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
    """Return the two lines that store an item unless a later version is stored.

    Deletions are stored as documents: OpenSearch itself forgets a deletion's version after a
    minute, and a late event would bring the track back. An equal version is written again, since
    it may have been copied from an index with other fields.
    """
    action = {
        "index": {"_id": item.track_id, "version": item.version, "version_type": "external_gte"}
    }
    return f"{_json(action)}\n{_json(fields(item))}\n"


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
