"""Objects of the mock beside those of the AWS provider on an emulator."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, Final

from tests.differential.comparison import Differential
from tests.differential.sequences import Known, Recall, Sequences, Step, aws, compared, failed, step
from tests.emulators import start_moto

_KINDS: Final = {"version": "version"}
_OPEN: Final = {"etag": "etag", "next_page_token": "page", "message": "text"}
_KEYS: Final = ("k", "a/b/c", "a/b", "a/", "ü €", "a+b%20c", "z//y")
_WRONG: Final = ("", "x" * 1025, "ü" * 600, "a\nb")
_BODIES: Final = (b"", b"text", b"other text", bytes(range(256)) * 8, b"x" * 300_000)


def _made(dice: random.Random) -> list[Step]:
    """Buckets, with versions or without, and what is done with the objects in them."""
    made = _Made(dice)
    steps = [made.create("~a")] if dice.random() < 0.95 else []
    steps += [made.create("~b")] if dice.random() < 0.3 else []
    steps += [made.put() for _ in range(dice.randint(0, 4))]
    return steps + [made.any() for _ in range(dice.randint(4, 12))]


class _Made:
    """Makes steps."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        # Few keys are used often, so that things happen to them.
        self._keys = dice.sample(_KEYS, 3)

    def any(self) -> Step:
        """A step."""
        makers = (
            self.put, self.get, self.head, self.delete, self.delete_many, self.list, self.versions, self.copy, self.tags,
            self.put_tags, self.drop, lambda: self.create(self.bucket()),
        )  # fmt: skip
        return self._dice.choices(makers, (6, 6, 2, 4, 1, 4, 2, 4, 2, 2, 0.5, 0.3))[0]()

    def maybe(self, share: float, value: Any) -> Any:
        return value if self._dice.random() < share else None

    def create(self, name: str) -> Step:
        rule = {
            "prefix": self._dice.choice(("", "a/")),
            "expire_after": timedelta(
                days=self._dice.choice((1, 30)), hours=self._dice.choice((0, 0, 0, 1))
            ),
        }
        return step(
            "create_bucket",
            name=name,
            versioning=self.maybe(0.4, True),
            lifecycle=self.maybe(0.1, [rule]),
        )

    def bucket(self) -> str:
        wrong = self._dice.choice(("", "no", "No-Capitals", "a--b", "x" * 64))
        return self._dice.choices(("~a", "~b", "~missing", wrong), (16, 2, 0.7, 0.3))[0]

    def key(self) -> str:
        return self._dice.choices((*self._keys, self._dice.choice(_WRONG)), (8, 4, 3, 0.3))[0]

    def where(self) -> dict[str, Any]:
        return {"bucket": self.bucket(), "key": self.key()}

    def etag(self) -> Recall:
        return Recall("etag", self._dice.choice((0, 0, 0, 1, 2)))

    def version(self) -> Recall:
        return Recall("version", self._dice.choice((0, 0, 1, 2, 3)))

    def text(self) -> dict[str, str]:
        return self._dice.choice(
            (
                {"colour": "red"},
                {"a": "1", "b_2": "two words"},
                {"Capital": "x"},
                {"a": " x"},
                {"a": "ü"},
                {"a": "x" * 2049},
            )
        )

    def named(self) -> dict[str, str]:
        return self._dice.choice(
            (
                {},
                {"team": "core"},
                {"a b": "c+d=e/f@g"},
                {f"t{n}": "" for n in range(10)},
                {f"t{n}": "" for n in range(11)},
            )
        )

    def put(self) -> Step:
        dice = self._dice
        data = dice.choice(_BODIES)
        return step(
            "put_object",
            **self.where(),
            data=data,
            content_type=self.maybe(
                0.3, dice.choice(("text/plain", "text/plain; charset=utf-8", "", " a"))
            ),
            cache_control=self.maybe(0.1, "max-age=60"),
            content_disposition=self.maybe(0.1, 'attachment; filename="a b.txt"'),
            content_encoding=self.maybe(0.1, "gzip"),
            metadata=self.maybe(0.2, self.text()),
            tags=self.maybe(0.2, self.named()),
            size=self.maybe(0.2, dice.choice((len(data), len(data), len(data) + 1))),
            if_match=self.maybe(0.15, self.etag()),
            if_absent=self.maybe(0.15, True),
        )

    def get(self) -> Step:
        dice = self._dice
        offset, length = (
            dice.choice((0, 1, 3, 4, 100, 2048, 2**40)),
            dice.choice((1, 2, 10, 10_000, 2**40, 0)),
        )
        ranges: tuple[dict[str, int], ...] = (
            {"offset": offset},
            {"offset": offset, "length": length},
            {"last": length},
            {"offset": -1},
            {"length": 3},
            {},
            {"offset": 1, "last": 1},
        )
        return step(
            "get_object",
            **self.where(),
            range=self.maybe(0.5, dice.choices(ranges, (4, 6, 4, 0.3, 0.3, 0.3, 0.3))[0]),
            version=self.maybe(0.25, self.version()),
            if_match=self.maybe(0.2, self.etag()),
            if_none_match=self.maybe(0.2, self.etag()),
        )

    def head(self) -> Step:
        return step("head_object", **self.where(), version=self.maybe(0.25, self.version()))

    def delete(self) -> Step:
        return step(
            "delete_object",
            **self.where(),
            version=self.maybe(0.3, self.version()),
            if_match=self.maybe(0.2, self.etag()),
        )

    def delete_many(self) -> Step:
        number = self._dice.choices((1, 2, 3, 0), (4, 4, 4, 0.3))[0]
        entries = [
            {"key": self.key()} | ({"version": self.version()} if self._dice.random() < 0.3 else {})
            for _ in range(number)
        ]
        return step("delete_objects", bucket=self.bucket(), entries=entries)

    def list(self) -> Step:
        dice = self._dice
        return step(
            "list_objects",
            bucket=self.bucket(),
            prefix=self.maybe(0.4, dice.choice(("a", "a/", "a/b", "ü", "none"))),
            delimiter=self.maybe(0.4, dice.choice(("/", "/", "b", "//"))),
            start_after=self.maybe(0.2, dice.choice(("a", "a/", "a/b", "k", "ü"))),
            page_size=self.maybe(0.4, dice.choices((1, 2, 3, 0, 1001), (4, 4, 4, 0.3, 0.3))[0]),
            page_token=self.maybe(0.2, Recall("page", 0, "")),
        )

    def versions(self) -> Step:
        dice = self._dice
        return step(
            "list_object_versions",
            bucket=self.bucket(),
            prefix=self.maybe(0.3, dice.choice(("a", "a/", "none"))),
            page_size=self.maybe(0.2, dice.choice((1, 2, 0))),
        )

    def copy(self) -> Step:
        return step(
            "copy_object",
            **self.where(),
            source_key=self.key(),
            source_bucket=self.maybe(0.3, self.bucket()),
            source_version=self.maybe(0.2, self.version()),
            source_if_match=self.maybe(0.15, self.etag()),
            if_match=self.maybe(0.1, self.etag()),
            if_absent=self.maybe(0.1, True),
        )

    def tags(self) -> Step:
        return step("get_object_tags", **self.where())

    def put_tags(self) -> Step:
        return step("put_object_tags", **self.where(), tags=self.maybe(0.9, self.named()))

    def drop(self) -> Step:
        return step("delete_bucket", name=self.bucket())


def _meant(answer: Any) -> Any:
    """Where an object is not modified, nothing is meant but its etag."""
    if answer.get("header", {}).get("not_modified"):
        return {"not_modified": answer["header"]["etag"]}
    return answer


_STORIES: Final = (
    (
        step("create_bucket", name="~a"),
        step("put_object", bucket="~a", key="k", data=b"text"),
        step("delete_objects", bucket="~a", entries=[{"key": "ü" * 600}, {"key": "k"}]),
        step("put_object", bucket="~a", key="k", data=b""),
        step("get_object", bucket="~a", key="k", range={"last": 2}),
        step("put_object", bucket="~a", key="a/b/c", data=b"text"),
        step("list_objects", bucket="~a", delimiter="/", start_after="a/b"),
    ),
)
_KNOWN: Final = (
    Known(
        "a bucket that is missing",
        "S3's answer to a HEAD has no body, so that it does not say whether the bucket or the object is missing.",
        lambda asked, ours, theirs, _: (
            asked.operation == "head_object"
            and failed(ours, "NOT_FOUND")
            and {**ours, "resource": asked.words["key"]} == theirs
        ),
        goes_on=True,
    ),
    Known(
        "versions in a list of objects",
        "S3 tells the versions where it lists versions alone.",
        lambda asked, ours, theirs, _: (
            asked.operation == "list_objects"
            and not failed(ours)
            and not failed(theirs)
            and _without_versions(ours) == theirs
        ),
        goes_on=True,
    ),
    Known(
        "the deletion of nothing",
        "moto makes no delete marker for a key that has no versions; S3 does.",
        lambda asked, ours, theirs, before: (
            (
                (asked.operation == "delete_object" and theirs == {"version": None})
                # Of several, nothing is told at once.
                or any(it.operation == "delete_objects" for it in before)
            )
            and any("versioning" in it.words for it in before)
        ),
    ),
    Known(
        "the tags of nothing",
        "moto fails with status 500 where the object is missing; S3 answers NoSuchKey.",
        lambda asked, ours, theirs, _: (
            asked.operation == "put_object_tags"
            and failed(ours, "NOT_FOUND")
            and failed(theirs, "INTERNAL")
        ),
        goes_on=True,
    ),
    Known(
        "a condition on the target of a copy",
        "moto ignores it; S3 honours it.",
        lambda asked, ours, theirs, _: (
            asked.operation == "copy_object"
            and bool({"if_match", "if_absent"} & set(asked.words))
            and failed(ours)
            and not failed(theirs)
        ),
    ),
    Known(
        "the source of a copy whose version is missing",
        "moto's NoSuchVersion does not name the object; S3's does.",
        lambda asked, ours, theirs, _: (
            asked.operation == "copy_object"
            and "source_version" in asked.words
            and failed(ours, "NOT_FOUND")
            and {**ours, "resource": asked.words["key"]} == theirs
        ),
        goes_on=True,
    ),
    Known(
        "a copy of the newest version onto itself",
        "moto takes it for the return of an earlier one; what the contract refuses, S3 refuses where nothing changes.",
        lambda asked, ours, theirs, _: (
            asked.operation == "copy_object"
            and "source_version" in asked.words
            and failed(ours, "VALIDATION")
            and not failed(theirs)
        ),
    ),
    Known(
        "common prefixes of what is deleted",
        "moto rolls up the keys of objects whose newest version is a deletion; S3 lists them no more.",
        lambda asked, ours, theirs, before: (
            asked.operation == "list_objects"
            and "delimiter" in asked.words
            and not failed(ours)
            and not failed(theirs)
            and set(ours["common_prefixes"]) < set(theirs["common_prefixes"])
            and any(it.operation in {"delete_object", "delete_objects"} for it in before)
        ),
    ),
    Known(
        "a version where there are none",
        "moto deletes an object of a bucket without versions by whatever version is named; S3 knows one only, null.",
        lambda asked, ours, theirs, before: any(_names_versions(it) for it in before),
    ),
    Known(
        "two that a copy names are missing",
        "Which of them is named is left open: S3 begins with the bucket that is written to, and the mock with what is read.",
        lambda asked, ours, theirs, _: (
            asked.operation == "copy_object"
            and failed(ours, "NOT_FOUND")
            and {**ours, "resource": asked.words["bucket"]} == theirs
        ),
        goes_on=True,
    ),
    Known(
        "a common prefix that begins before the start",
        "moto leaves out a common prefix that is not after start_after, though keys under it are. S3's documentation does not say.",
        lambda asked, ours, theirs, _: (
            asked.operation == "list_objects"
            and {"delimiter", "start_after"} <= set(asked.words)
            and not failed(ours)
            and not failed(theirs)
            and set(theirs["common_prefixes"]) < set(ours["common_prefixes"])
        ),
        goes_on=True,
    ),
    Known(
        "a long key in a batch",
        "moto deletes under a key that is longer than any; S3 refuses it.",
        lambda asked, ours, theirs, _: (
            asked.operation == "delete_objects"
            and any(len(it["key"].encode()) > 1024 for it in asked.words["entries"])
            and not failed(ours)
            and not failed(theirs)
        ),
        goes_on=True,
    ),
    Known(
        "the end of nothing",
        "moto answers with nothing where the last bytes of an empty object are asked for; S3 refuses that as it does any range beyond the end.",
        lambda asked, ours, theirs, _: (
            asked.operation == "get_object"
            and "last" in asked.words.get("range", ())
            and failed(ours, "VALIDATION")
            and not failed(theirs)
            and theirs["body"] == b""
        ),
        goes_on=True,
    ),
)


def _names_versions(deletion: Step) -> bool:
    return deletion.operation.startswith("delete_object") and (
        "version" in deletion.words
        or any("version" in it for it in deletion.words.get("entries", ()))
    )


def _without_versions(answer: Any) -> Any:
    return {**answer, "objects": [{**it, "version": None} for it in answer["objects"]]}


_SEQUENCES: Final = Sequences(
    "object_store", _made, _KINDS, _OPEN, stories=_STORIES, meant=_meant, known=_KNOWN
)

DIFFERENTIAL: Final = Differential(
    "aws on moto",
    lambda cases, seed: compared(_SEQUENCES, lambda: aws(start_moto()), cases, seed),
    _SEQUENCES.reasons(),
    strict=True,
    portion=60,
)
