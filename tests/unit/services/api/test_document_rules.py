"""The limits of a document's selections, and what it costs to measure them."""

import pytest
from graphql import OperationDefinitionNode, build_schema, parse, specified_rules, validate

from services.api.graphql.document_rules import (
    MOST_ALIASES,
    MOST_DEPTH,
    MOST_NESTING,
    DocumentLimits,
    Size,
    Sizes,
)

SCHEMA = build_schema("type Query { q: Query n(i: Int): Int }")


def measured(text: str) -> tuple[Size, int]:
    """The size of the first operation, and the number of visits."""
    document = parse(text)
    sizes = Sizes(document)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return sizes.of(operation.selection_set), sizes.visits


def refusals(text: str) -> list[str]:
    found = validate(SCHEMA, parse(text), [*specified_rules, DocumentLimits])
    return [error.message for error in found]


def chain(links: int) -> str:
    """Fragments that each spread the next one twice: 2 ** links fields."""
    text = "{ ...F0 }"
    for link in range(links):
        text += f" fragment F{link} on Query {{ ...F{link + 1} ...F{link + 1} }}"
    return text + f" fragment F{links} on Query {{ n }}"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("{ n }", Size(0, 0, 0, 1)),
        ("{ q { n } }", Size(1, 1, 0, 2)),
        ("{ a: q { b: n n } }", Size(1, 1, 2, 3)),
        ("{ ... { q { n } } ... on Query { n } }", Size(1, 2, 0, 3)),
        ("{ ...F ...F q { ...F } } fragment F on Query { a: q { n } }", Size(2, 3, 3, 7)),
        ("{ __schema { types { name } } }", Size(0, 2, 0, 3)),
        ("{ ...Unknown n }", Size(0, 0, 0, 1)),
        ("{ ...F } fragment F on Query { n q { ...F } }", Size(1, 3, 0, 2)),
    ],
)
def test_a_fragment_counts_wherever_it_is_spread(text: str, size: Size) -> None:
    assert measured(text)[0] == size


@pytest.mark.parametrize("links", [1, 5, 10])
def test_each_selection_is_visited_twice_however_often_its_fragment_is_spread(links: int) -> None:
    size, visits = measured(chain(links))
    selections = 1 + 2 * links + 1
    assert size.fields == 2**links
    assert visits == 2 * selections


def test_long_chains_of_fragments_are_measured_without_recursion() -> None:
    text = "{ ...F0 }"
    for link in range(3_000):
        text += f" fragment F{link} on Query {{ ...F{link + 1} }}"
    size, _ = measured(text + " fragment F3000 on Query { n }")
    assert size == Size(0, 3_001, 0, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{ " + "q { " * 13 + "n" + " }" * 14, "maximum depth of 12"),
        ("{ ...F } fragment F on Query { " + "q { " * 13 + "n" + " }" * 14, "maximum depth of 12"),
        ("{ " + " ".join(f"a{n}: n" for n in range(31)) + " }", "31 aliases"),
        (
            "{ ...F ...F ...F ...F } fragment F on Query { "
            + " ".join(f"a{n}: n" for n in range(8))
            + " }",
            "32 aliases",
        ),
        (chain(12), "more than 2,500 fields"),
        (chain(12).replace("{ n }", "{ a: n }"), "more than 2,500 aliases"),
        ("{ " + "... { " * (MOST_NESTING + 1) + "n" + " }" * (MOST_NESTING + 2), "deeper than 100"),
    ],
)
def test_what_exceeds_a_limit_is_refused(text: str, message: str) -> None:
    assert any(message in refusal for refusal in refusals(text)), refusals(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ " + "q { " * MOST_DEPTH + "n" + " }" * (MOST_DEPTH + 1),
        "{ " + " ".join(f"a{n}: n" for n in range(MOST_ALIASES)) + " }",
        "{ " + "... { " * MOST_NESTING + "n" + " }" * (MOST_NESTING + 1),
        chain(11),
    ],
    ids=["depth", "aliases", "nesting", "fields"],
)
def test_what_reaches_a_limit_is_accepted(text: str) -> None:
    assert refusals(text) == []


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("{ ...Misspelled }", ["Unknown fragment 'Misspelled'."]),
        (
            "{ ...F } fragment F on Query { q { ...F } }",
            ["Cannot spread fragment 'F' within itself."],
        ),
    ],
)
def test_faults_by_the_specification_are_reported_as_such(text: str, messages: list[str]) -> None:
    assert refusals(text) == messages
