"""Listings against the plainest description of what they are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lcplatform_mock.listing import SortedKeys, names_page, page_of

KEYS = st.text("ab/é\U0001f600", min_size=1, max_size=5)
PREFIXES = st.text("ab/é", max_size=2)


@given(
    keys=st.sets(KEYS, max_size=30),
    prefix=PREFIXES,
    delimiter=st.sampled_from(["", "/", "b", "é/"]),
    start_after=st.text("ab/é", max_size=3),
    size=st.integers(1, 4),
)
def test_the_pages_of_a_listing_give_each_entry_once_and_in_order(
    keys: set[str], prefix: str, delimiter: str, start_after: str, size: int
) -> None:
    ordered = sorted(keys, key=str.encode)
    expected: list[str] = []
    for key in ordered:
        if not key.startswith(prefix) or key <= start_after:
            continue
        cut = key.find(delimiter, len(prefix)) if delimiter else -1
        entry = key if cut < 0 else key[: cut + len(delimiter)]
        if entry not in expected:
            expected.append(entry)
    found: list[str] = []
    token = ""
    while True:
        page = page_of(
            ordered,
            prefix=prefix,
            delimiter=delimiter,
            start_after=start_after,
            size=size,
            token=token,
        )
        entries = [*page.keys, *page.prefixes]
        assert 0 < len(entries) <= size or not token
        found += sorted(entries, key=str.encode)
        token = page.token
        if not token:
            break
        assert len(entries) == size
    assert found == expected


@given(
    changes=st.lists(st.tuples(KEYS, st.booleans()), max_size=60),
    looks=st.sets(st.integers(0, 60)),
)
def test_keys_are_in_the_order_of_their_bytes_whatever_came_and_went(
    changes: list[tuple[str, bool]], looks: set[int]
) -> None:
    keys, model = SortedKeys(), set[str]()
    for number, (key, added) in enumerate(changes):
        if added and key not in model:
            keys.add(key)
            model.add(key)
        elif not added and key in model:
            keys.discard(key)
            model.remove(key)
        if number in looks:
            assert list(keys.ordered()) == sorted(model, key=str.encode)
    assert list(keys.ordered()) == sorted(model, key=str.encode)


@given(names=st.sets(KEYS, max_size=20), prefix=PREFIXES, size=st.integers(1, 4))
def test_the_pages_of_names_give_each_name_once(names: set[str], prefix: str, size: int) -> None:
    ordered = sorted(names)
    found: list[str] = []
    page, token = names_page(ordered, prefix, size, "")
    found += page
    while token:
        page, token = names_page(ordered, prefix, size, token)
        assert page
        found += page
    assert found == [name for name in ordered if name.startswith(prefix)]
