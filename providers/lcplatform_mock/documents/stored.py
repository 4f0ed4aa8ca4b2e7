"""A document as a collection has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lcplatform.document_store.models import Document, GetDocumentResponse
from lcplatform_runtime.documents.extended_json import canonical
from lcplatform_runtime.json_value import Json
from lcplatform_runtime.trusted import trusted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lcplatform_runtime.documents.values import Key, Object, Value

_documents = trusted(Document)
_answers = trusted(GetDocumentResponse)


class Stored:
    """A document, which does not change: a change puts another one in its place.

    Attributes:
        number: its place in the collection, which it keeps.
        key: the key of its `_id`.
        document: its content.
        etag: the mark of this state of it.
    """

    __slots__ = ("_answer", "_get", "document", "etag", "key", "number")

    def __init__(self, number: int, key: Key, document: Object, etag: str) -> None:
        self.number = number
        self.key = key
        self.document = document
        self.etag = etag
        self._answer: Document | None = None
        self._get: GetDocumentResponse | None = None

    def __deepcopy__(self, memo: dict[int, object]) -> Stored:
        return self

    @staticmethod
    def answers(rows: Iterable[Stored]) -> tuple[Document, ...]:
        """The answers of several. Most were asked for before."""
        return tuple([it._answer or it.answer for it in rows])

    @property
    def answer(self) -> Document:
        """The document as it is answered, made when it is first asked for."""
        if self._answer is None:
            self._answer = _documents(content=json_of(self.document), etag=self.etag)
        return self._answer

    @property
    def get(self) -> GetDocumentResponse:
        """The answer to whoever asks for it alone."""
        if self._get is None:
            self._get = _answers(document=self.answer)
        return self._get

    @property
    def identity(self) -> str | Json:
        """Its `_id`, as it is answered."""
        return identity_of(self.document["_id"])


def json_of(value: Value) -> Json:
    """A value as canonical Extended JSON."""
    return Json.of_plain(canonical(value))


def identity_of(value: Value) -> str | Json:
    """An `_id` as it is answered: text as it is."""
    return value if isinstance(value, str) else json_of(value)


def shown(document: Object) -> Document:
    """A document of which only a part is shown."""
    return _documents(content=json_of(document), etag=None)
