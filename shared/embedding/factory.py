"""Makes the text embedder that the settings name."""

from shared.embedding.ollama_embedder import OllamaEmbedder
from shared.embedding.port import TextEmbedder
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings


def text_embedder(settings: Settings) -> TextEmbedder:
    """Return WordLlama or Ollama. Nothing is loaded or connected yet."""
    if settings.embedder == "ollama":
        return OllamaEmbedder(settings.ollama_url, settings.ollama_model)
    return WordLlamaEmbedder()
