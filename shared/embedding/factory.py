"""Makes the text embedder that the settings name."""

from shared.embedding.port import TextEmbedder
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings


def text_embedder(settings: Settings) -> TextEmbedder:
    """Return WordLlama or Ollama. Nothing is loaded or connected yet."""
    if settings.embedder == "ollama":
        # Imported only when used: Ollama's client takes a tenth of a second.
        from shared.embedding.ollama_embedder import OllamaEmbedder  # noqa: PLC0415 - see above

        return OllamaEmbedder(settings.ollama_url, settings.ollama_model)
    return WordLlamaEmbedder()
