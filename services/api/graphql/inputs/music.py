"""What is told of artists and albums."""

import strawberry
from strawberry import UNSET

from services.api.graphql.enums import CreditRole
from services.api.graphql.plain_inputs import plain


@plain
@strawberry.input
class ArtistInput:
    """An artist."""

    name: str
    sort_name: str | None = UNSET
    musicbrainz_artist_id: str | None = UNSET
    image_sha256: str | None = UNSET


@plain
@strawberry.input
class CreditInput:
    """An artist's part in a track or album."""

    artist_id: strawberry.ID
    role: CreditRole | None = CreditRole.ARTIST
    credited_as: str
    join_phrase: str | None = ""
    instrument: str | None = strawberry.field(
        default=UNSET, description="Of a performer: an instrument or a voice."
    )


@plain
@strawberry.input
class AlbumInput:
    """An album."""

    title: str
    sort_title: str | None = UNSET
    artist_credit: str
    credits: list[CreditInput]
    folder: str = strawberry.field(
        description="The album's folder below its library's root, disc folders stripped:"
        " tells editions apart."
    )
    library_id: strawberry.ID
    release_date: str | None = UNSET
    original_date: str | None = UNSET
    is_compilation: bool | None = False
    is_artist_told: bool | None = strawberry.field(
        default=True, description="Whether the artist is tagged, or guessed from a track."
    )
    claim: str | None = strawberry.field(
        default=UNSET,
        description="A name for what is said here. Tracks that refer to it (`albumClaim`) decide"
        " together what the album is.",
    )
    disc_total: int | None = UNSET
    release_type: str | None = UNSET
    label: str | None = UNSET
    catalogue_number: str | None = UNSET
    barcode: str | None = UNSET
    country: str | None = UNSET
    media: str | None = UNSET
    musicbrainz_release_id: str | None = UNSET
    musicbrainz_release_group_id: str | None = UNSET
    cover_sha256: str | None = UNSET
    artist_image_sha256: str | None = strawberry.field(
        default=UNSET, description="With a claim: the image of the album's one artist near it."
    )
