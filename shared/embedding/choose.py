"""Which embedder the settings ask for; the vectorizer and the api must take the same."""

from shared.embedding.ollama_embedder import OllamaEmbedder
from shared.embedding.port import TextEmbedder
from shared.embedding.wordllama_embedder import WordLlamaEmbedder
from shared.runtime.settings import Settings


def choose_embedder(settings: Settings) -> TextEmbedder:
    """The embedder by `settings.embedder`; nothing is loaded or connected yet."""
    if settings.embedder == "ollama":
        return OllamaEmbedder(settings.ollama_url, settings.ollama_model)
    return WordLlamaEmbedder()
