"""Makes the search index that the settings name."""

from shared.contracts.errors import InvalidInput
from shared.runtime.settings import Settings
from shared.search.port import SearchIndex


def search_index(settings: Settings) -> SearchIndex:
    """Return Tantivy in the data folder, or OpenSearch. Nothing is opened or connected yet.

    Raises:
        InvalidInput: OpenSearch's client is not installed.
    """
    # Each is imported only when used: OpenSearch's client takes half a second and 40 MB.
    if settings.search == "opensearch":
        try:
            from shared.search.opensearch_index import OpenSearchIndex  # noqa: PLC0415 - see above
        except ModuleNotFoundError as error:
            raise InvalidInput(
                f"SONIQUEBAY_SEARCH=opensearch needs the package {error.name}, which is not"
                " installed: install what a cluster needs, too (`make install`)"
            ) from error

        password = settings.opensearch_password
        return OpenSearchIndex(
            settings.opensearch_url,
            user=settings.opensearch_user or "",
            password=password.get_secret_value() if password else "",
        )
    from shared.search.tantivy_index import TantivyIndex  # noqa: PLC0415 - see above

    return TantivyIndex(settings.search_dir)
