"""How Kiosk behaves, scenario by scenario, as idl/lcplatform/kiosk/v1/scenarios.yaml tells it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lcplatform import Json
from lcplatform.errors import (
    ResourceNotFoundError,
    ValidationError,
)
from lcplatform.kiosk.client import Kiosk
from lcplatform.kiosk.models import (
    Part,
    Place,
)
from lcplatform_contract.contract_test import ContractTest, needs
from lcplatform_contract.expect import (
    ANY,
    KIB,
    MIB,
    bytes_of_size,
    containing,
    like,
    present,
    refused,
    unlike,
    unordered,
)


class TestKioskScenarios(ContractTest):
    """What Kiosk does.

    FR-001: Things are added and found.
    FR-002: Things have pictures.
    """

    service = "kiosk"

    @property
    def kiosk(self) -> Kiosk:
        """The service under test."""
        return self.platform.kiosk

    @needs("gifts")
    def test_a_thing_that_was_added_is_found(self) -> None:
        """FR-001"""
        lamp = self.name("lamp")
        added_thing = self.kiosk.add_thing(
            lamp,
            worth={"euro": 9007199254740993, "paid": True},
            term=timedelta(hours=12),
            labels={"colour": "{red} $5"},
            parts=[Part(name="bulb"), Part(name=f"{lamp} stand")],
            place=Place.SHELF,
        )
        assert added_thing.thing.name == lamp
        assert added_thing.thing.place == Place.SHELF
        assert added_thing.thing.worth == Json({"euro": 9007199254740993, "paid": True})
        assert added_thing.thing.labels == {"colour": "{red} $5"}
        assert added_thing.thing.added_at == ANY
        assert added_thing.thing.term == timedelta(hours=12)
        assert added_thing.thing.fresh
        assert added_thing.thing.etag
        etag = present(added_thing.thing.etag)
        added = added_thing.thing.added_at
        self.eventually(
            lambda: self.kiosk.list_things(prefix=lamp).things,
            (like(name=lamp, added_at=added, etag=unlike("0")),),
            within=timedelta(seconds=5),
        )
        listed = self.kiosk.list_things(prefix=f"other-{lamp}")
        assert listed.things == ()
        assert listed.next_page_token == ""
        with pytest.raises(ResourceNotFoundError):
            self.kiosk.give_thing(lamp, if_match=etag)

    @needs("clock")
    def test_things_are_told_apart_and_the_customers_words_are_kept(self) -> None:
        """FR-001"""
        lamp = self.name("lamp")
        arm_chair = self.name("arm-chair")
        with refused(ValidationError, field="worth"):
            self.kiosk.add_thing(lamp, worth="little")
        for number in range(3):
            self.kiosk.add_thing(f"{arm_chair}-{number}", worth=f"number {number}", count=2)
        id_ = self.kiosk.add_thing(arm_chair, worth="x" * 300).thing.name
        self.advance(timedelta(minutes=90))
        assert self.gather(
            lambda: self.kiosk.list_things(prefix=id_, page_size=1).things, 3
        ) == unordered(like(worth="number 0"), like(worth="number 1"), like(worth=containing("2")))
        listed = self.kiosk.list_things(prefix=id_, page_size=2)
        assert len(listed.things) == 2
        assert listed.next_page_token in ("a", "b")
        next_ = listed.next_page_token
        first = listed.things[0].name
        listed = self.kiosk.list_things(prefix=first, page_token=next_)
        assert like(fresh=False, labels={}) in listed.things
        self.eventually_refused(
            ValidationError,
            lambda: self.kiosk.list_things(prefix="nothing"),
            within=timedelta(minutes=1),
        )

    def test_a_picture_is_stored_in_pieces_and_read_by_whoever_has_its_url(self) -> None:
        """FR-002"""
        lamp = self.name("lamp")
        stored = self.kiosk.put_picture(
            lamp, iter([b"one", b"\x00\xff", bytes_of_size(2 * KIB)]), title="A lamp"
        )
        assert stored.size == 2053
        self.kiosk.put_picture(lamp, self.file(bytes_of_size(3 * MIB)))
        with self.kiosk.get_picture(lamp) as download:
            assert download.header.size == 2053
            assert download.header.title == "A lamp"
            assert download.read() == b"one" + b"\x00\xff" + bytes_of_size(2 * KIB)
            url = present(download.header.title)
        assert self.kiosk.get_picture(lamp).read() == "größer".encode()
        with pytest.raises(ResourceNotFoundError):
            self.kiosk.get_picture(f"{lamp}2").read()
        assert self.http("PUT", url, headers={"Accept": "text/plain"}, body=b"hello").status in (
            200,
            201,
        )
        answer = self.http("GET", f"{url}&x=1")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain"
        assert answer.body == b"hello"
