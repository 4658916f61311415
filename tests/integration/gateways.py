"""A gateway that listens on a real socket."""

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from services.api.service import Api, build
from shared.bus.in_process import InProcessBus
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings

STATUS = "{ status { tracks } }"
STORE = 'mutation { registerSearchGeneration(generation: "g") }'


def api_of(settings: Settings, **changes: Any) -> Api:
    changed = settings.model_copy(update={"port": 0, **changes})
    return build(changed, bus=InProcessBus(), embedder=WordLlamaEmbedder())


@asynccontextmanager
async def running_gateway(settings: Settings, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    api = api_of(settings, **changes)
    async with api.service.lifespan(), httpx.AsyncClient(base_url=api.url) as client:
        yield client


def picture(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind)
    return made.getvalue()


def is_empty(folder: Path) -> bool:
    return not list(folder.iterdir())
