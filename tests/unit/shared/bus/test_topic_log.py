"""The topic log, in any order of operations."""

from collections import defaultdict

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.bus.topic_log import Claim, TopicLog
from shared.contracts.envelope import Record, record_of

GROUPS = ("fast", "slow", "by key")


class TopicLogMachine(RuleBasedStateMachine):
    """Each group gets the records of a key in order, exactly once; then they are not kept."""

    def __init__(self) -> None:
        super().__init__()
        self.log = TopicLog(4)
        for group in GROUPS:
            self.log.add_group(group, by_key=group == "by key")
        self.appended: dict[bytes, list[int]] = defaultdict(list)
        self.done: dict[str, dict[bytes, list[int]]] = {g: defaultdict(list) for g in GROUPS}
        self.claims: list[Claim] = []
        self.count = 0

    @rule(key=st.integers(0, 12))
    def append(self, key: int) -> None:
        self.log.append(Record("t", bytes([key]), str(self.count).encode()))
        self.appended[bytes([key])].append(self.count)
        self.count += 1

    @rule(group=st.sampled_from(GROUPS), limit=st.integers(1, 5), most=st.integers(1, 4))
    def claim(self, group: str, limit: int, most: int) -> None:
        ready = self.log.ready(group, most)
        claim = self.log.claim(group, limit=limit, max_partitions=most)
        assert len(claim.records if claim else []) == min(ready, limit)
        if claim:
            self.claims.append(claim)

    @precondition(lambda self: bool(self.claims))
    @rule(which=st.integers(0, 9))
    def commit(self, which: int) -> None:
        self._finish(self.claims.pop(which % len(self.claims)))

    @precondition(lambda self: bool(self.claims))
    @rule(which=st.integers(0, 9))
    def release(self, which: int) -> None:
        self.log.release(self.claims.pop(which % len(self.claims)))

    def _finish(self, claim: Claim) -> None:
        self.log.commit(claim)
        for record in claim.records:
            self.done[claim.group][record.key].append(int(record_of(record).value))

    @invariant()
    def lag_is_what_was_not_committed(self) -> None:
        for group in GROUPS:
            lag = self.log.lag(group)
            assert lag == self.count - sum(map(len, self.done[group].values()))
            assert lag <= self.log.held <= self.count

    def teardown(self) -> None:
        for claim in self.claims:
            self._finish(claim)
        for group in GROUPS:
            while claim_ := self.log.claim(group, limit=100, max_partitions=4):
                self._finish(claim_)
            assert self.done[group] == self.appended
        assert self.log.held == 0


TestAnyOrder = TopicLogMachine.TestCase


def test_two_claims_of_a_group_never_share_a_key() -> None:
    log = TopicLog(4)
    log.add_group("g")
    for number in range(40):
        log.append(Record("t", bytes([number % 10]), b""))
    claims = [log.claim("g", limit=5, max_partitions=1) for _ in range(6)]
    keys = [{record.key for record in claim.records} for claim in claims if claim]
    assert len(keys) == 4  # as many as there are partitions
    assert sum(map(len, keys)) == len(set().union(*keys))


def test_a_slow_record_of_a_group_by_key_holds_up_its_key_alone() -> None:
    log = TopicLog(1)
    log.add_group("g", by_key=True)
    for number in range(5):
        log.append(Record("t", bytes([number]), b"first"))
    log.append(Record("t", bytes([0]), b"second"))
    slow = log.claim("g", limit=1, max_partitions=1)
    assert slow is not None
    others = []
    while claim := log.claim("g", limit=2, max_partitions=1):
        others += claim.records
        log.commit(claim)
    assert [record.key for record in others] == [bytes([number]) for number in range(1, 5)]
    assert (log.ready("g", 1), log.lag("g"), log.held) == (0, 2, 6), (
        "nothing behind it is committed"
    )
    log.commit(slow)
    last = log.claim("g", limit=9, max_partitions=1)
    assert last is not None
    assert [record_of(record).value for record in last.records] == [b"second"]
    log.commit(last)
    assert (log.lag("g"), log.held) == (0, 0)


def test_a_group_by_key_does_not_read_without_bound_while_one_key_is_slow() -> None:
    log = TopicLog(1)
    log.add_group("g", by_key=True)
    for _ in range(5_000):
        log.append(Record("t", b"slow", b""))
    assert log.claim("g", limit=1, max_partitions=1) is not None
    assert log.ready("g", 1) == 0
    assert log.claim("g", limit=1, max_partitions=1) is None
    assert log.lag("g") == 5_000


def test_a_busy_partition_does_not_starve_the_others() -> None:
    log = TopicLog(4)
    log.add_group("g")
    seen: set[bytes] = set()
    for number in range(64):
        log.append(Record("t", bytes([number]), b""))
    for _ in range(8):
        for number in range(64):
            log.append(Record("t", bytes([number]), b""))
        claim = log.claim("g", limit=8, max_partitions=4)
        assert claim is not None
        seen |= {record.key for record in claim.records}
        log.commit(claim)
    assert len(seen) > 32


def test_records_that_no_group_reads_are_not_kept() -> None:
    log = TopicLog(4)
    log.append(Record("t", b"", b""))
    assert log.held == 0


def test_a_group_subscribes_once() -> None:
    log = TopicLog(4)
    log.add_group("g")
    with pytest.raises(ValueError, match="before"):
        log.add_group("g")


def test_a_batch_takes_evenly_from_all_partitions() -> None:
    log = TopicLog(4)
    log.add_group("fast")
    for number in range(400):
        log.append(Record("t", str(number).encode(), str(number).encode()))
    claim = log.claim("fast", limit=40, max_partitions=4)
    assert claim is not None
    assert len(claim.records) == 40
    assert max(int(record_of(record).value) for record in claim.records) < 80, "about the oldest"


def test_files_of_a_folder_are_handled_together_and_those_of_the_root_apart() -> None:
    log = TopicLog(4, by_folder=True)
    log.add_group("g")
    paths = [f"{folder}/{number}.mp3" for number in range(3) for folder in "abcdefgh"]
    paths += [f"{number}.mp3" for number in range(20)]
    for path in paths:
        log.append(Record("t", path.encode(), b""))
    claims = [log.claim("g", limit=100, max_partitions=1) for _ in range(4)]
    taken = [[record.key.decode() for record in claim.records] for claim in claims if claim]
    assert sorted(path for batch in taken for path in batch) == sorted(paths)
    for folder in "abcdefgh":
        files = [f"{folder}/{number}.mp3" for number in range(3)]
        (batch,) = [batch for batch in taken if files[0] in batch]
        assert [path for path in batch if path.startswith(f"{folder}/")] == files
    assert sum(any("/" not in path for path in batch) for batch in taken) > 1
