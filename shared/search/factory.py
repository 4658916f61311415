"""Makes the search index that the settings name."""

from shared.runtime.settings import Settings
from shared.search.port import SearchIndex


def search_index(settings: Settings) -> SearchIndex:
    """Return Tantivy in the data folder, or OpenSearch. Nothing is opened or connected yet."""
    # Each is imported only when used: OpenSearch's client takes half a second and 40 MB.
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
