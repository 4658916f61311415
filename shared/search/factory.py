"""The search index that the settings name."""

from shared.runtime.settings import Settings
from shared.search.port import SearchIndex


def search_index(settings: Settings) -> SearchIndex:
    """Tantivy in the data folder, or OpenSearch; nothing is opened or asked yet."""
    # Each is imported only where it is used: OpenSearch's client is half a second and 40 MB.
    if settings.search == "opensearch":
        from shared.search.opensearch_index import OpenSearchIndex  # noqa: PLC0415 - see above

        password = settings.opensearch_password
        return OpenSearchIndex(
            settings.opensearch_url,
            user=settings.opensearch_user or "",
            password=password.get_secret_value() if password else "",
        )
    from shared.search.tantivy_index import TantivyIndex  # noqa: PLC0415 - see above

    return TantivyIndex(settings.search_dir)
