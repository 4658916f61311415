"""Ids of new things."""

import uuid

from services.api.store.new_ids import new_id


def test_an_id_is_a_random_uuid_like_any_other() -> None:
    made = [new_id() for _ in range(1_000)]
    assert len(set(made)) == 1_000
    assert {(one.version, one.variant) for one in made} == {(4, uuid.RFC_4122)}
    others = [uuid.UUID(hex=one.hex) for one in made]
    assert made == others
    assert set(made) == set(others)
    assert sorted(made) == sorted(others)
