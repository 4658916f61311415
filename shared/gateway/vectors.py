"""What the vectorizer asks of the gateway and tells it."""

import base64
from collections.abc import AsyncIterator, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.gateway.client import JSON, Gateway
from shared.gateway.tracks import tracks_by_id

_MEASURED = """
      contentRevision tempoBpm tempoConfidence onsetRateHz danceability key mode keyConfidence
      loudnessLufs loudnessRangeLu dynamicRangeDb crestDb energy
      brightness spectralCentroidHz spectralBandwidthHz spectralRolloffHz spectralFlatness
      spectralContrastDb zeroCrossingRate mfccMean mfccStd
"""
_HEARD = """
      model version embedding genre genreConfidence
      aggressive { score confidence } relaxed { score confidence } party { score confidence }
      acoustic { score confidence } electronic { score confidence }
      instrumental { score confidence }
"""
TO_VECTORIZE = f"""
query ToVectorize($ids: [ID!]!) {{
  tracksById(ids: $ids) {{
    id isMissing contentRevision stage title artists year tempoBpm key mode moods
    album {{ title artistCredit }} genres {{ name }} credits(role: COMPOSER) {{ creditedAs }}
    correction {{ moods }}
    analysis {{ {_MEASURED} meaningAbsence meaning {{ {_HEARD} }} }}
  }}
}}
"""
AUDIO_MODEL = "query AudioModel { audioModel { model version dimensions } }"
ANALYSES = f"""
query Analyses($after: String) {{
  tracks(first: 100, after: $after) {{
    edges {{ node {{ analysis {{ {_MEASURED} }} }} }} pageInfo {{ hasNextPage endCursor }}
  }}
}}
"""
CREATE_VECTORS = """
mutation CreateVectors($input: [VectorInput!]!) {
  createVectors(input: $input) { results { id revision contentRevision error { code message } } }
}
"""
REGISTER_SPACES = """
mutation RegisterVectorSpaces($input: [VectorSpaceInput!]!) { registerVectorSpaces(input: $input) }
"""


async def tracks_to_vectorize(gateway: Gateway, ids: Sequence[str]) -> list[JSON]:
    """Tags and analyses of the tracks, those there are."""
    return await tracks_by_id(gateway, ids, TO_VECTORIZE)


async def audio_model(gateway: Gateway) -> JSON | None:
    """The trained model whose embeddings are the audio vectors; None without any."""
    model: JSON | None = (await gateway.execute(AUDIO_MODEL, {}))["audioModel"]
    return model


async def analyses(gateway: Gateway) -> AsyncIterator[JSON]:
    """What was measured of every track that has an analysis."""
    after, more = None, True
    while more:
        tracks = (await gateway.execute(ANALYSES, {"after": after}))["tracks"]
        for edge in tracks["edges"]:
            if edge["node"]["analysis"] is not None:
                yield edge["node"]["analysis"]
        after, more = tracks["pageInfo"]["endCursor"], tracks["pageInfo"]["hasNextPage"]


async def create_vectors(gateway: Gateway, items: Sequence[JSON]) -> list[JSON]:
    """Store vectors; one result an item, in order."""
    data = await gateway.execute(CREATE_VECTORS, {"input": list(items)})
    results: list[JSON] = data["createVectors"]["results"]
    return results


async def register_spaces(gateway: Gateway, spaces: Sequence[JSON]) -> None:
    """Say which spaces are filled from now on."""
    await gateway.execute(REGISTER_SPACES, {"input": list(spaces)})


def vector_scalar(values: NDArray[np.float32]) -> str:
    """A vector as the schema's scalar: base64 of little-endian float32."""
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
