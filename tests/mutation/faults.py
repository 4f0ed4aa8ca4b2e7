"""Faults that a provider, the runtime or the server could have, each one edit of one file. The contract suite finds them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

IN_PROCESS: Final = ("--lcplatform-surface=in-process", "--lcplatform-colour=blocking")
ASYNC: Final = ("--lcplatform-surface=in-process", "--lcplatform-colour=async")
GRPC: Final = ("--lcplatform-surface=grpc", "--lcplatform-colour=blocking")


@dataclass(frozen=True, slots=True)
class Fault:
    """One planted fault: in a file, one text becomes another. `service` is whose tests look for it."""

    name: str
    file: str
    before: str
    after: str
    service: str
    surface: tuple[str, ...] = IN_PROCESS


FAULTS: Final = (
    Fault(
        "put_object drops the condition that there be no object",
        "providers/lcplatform_mock/object_store.py",
        "    if if_absent and bucket.find(key) is not None:",
        "    if False and bucket.find(key) is not None:",
        "object_store",
    ),
    Fault(
        "put_object takes a stale etag",
        "providers/lcplatform_mock/object_store.py",
        "    if if_match is not None and required(bucket, key).etag != if_match:",
        "    if if_match is not None and not required(bucket, key).etag:",
        "object_store",
    ),
    Fault(
        "an upload is stored although its checksum is wrong",
        "providers/lcplatform_runtime/body.py",
        '            self._refuse_unequal("crc32c", self._expected_crc32c, crc32c)\n'
        "            self._expected_crc32c = crc32c",
        '            self._refuse_unequal("crc32c", self._expected_crc32c, crc32c)',
        "object_store",
    ),
    Fault(
        "a received message is visible at once",
        "providers/lcplatform_mock/queue.py",
        "            None if timeout is None else timeout.total_seconds(),\n"
        "            self._clock.monotonic(),\n"
        "            None if name is None",
        "            0.0,\n            self._clock.monotonic(),\n            None if name is None",
        "queue",
    ),
    Fault(
        "a batch reports success for an entry that failed",
        "providers/lcplatform_mock/queue.py",
        "                    failed.append(failure(index, error))\n                else:",
        '                    successful.append(SendMessagesResult(index=index, message_id="lost"))\n'
        "                else:",
        "queue",
    ),
    Fault(
        "messages never go to the dead-letter queue",
        "providers/lcplatform_mock/queue.py",
        "            None if name is None else self._state.get(name),",
        "            None,",
        "queue",
    ),
    Fault(
        "a secret value is shown in a repr",
        "providers/lcplatform_runtime/model.py",
        "yield name, HIDDEN if name in hidden and value is not None else value",
        "yield name, value",
        "secrets",
    ),
    Fault(
        "a deleted secret can be read",
        "providers/lcplatform_mock/vault.py",
        "        if self.purge_at is not None:",
        "        if self.purge_at is None and False:",
        "secrets",
    ),
    Fault(
        "a write leaves the cached secret as it was",
        "providers/lcplatform_runtime/chain.py",
        "        if operation.invalidates and not self._remote:",
        "        if operation.invalidates and self._remote:",
        "secrets",
    ),
    Fault(
        "the server answers every error with the status UNKNOWN",
        "generated/lcplatform_grpc/serving.py",
        "context.abort(CODES[shown.code], text)",
        "context.abort(grpc.StatusCode.UNKNOWN, text)",
        "queue",
        GRPC,
    ),
    Fault(
        "a condition is lost on its way to the server",
        "generated/lcplatform_grpc/object_store/convert.py",
        "        if_absent=model.if_absent,\n    )\n    if model.metadata:",
        "    )\n    if model.metadata:",
        "object_store",
        GRPC,
    ),
    Fault(
        "bounds of the IDL are not checked",
        "providers/lcplatform_runtime/model.py",
        "        return model.__pydantic_validator__.validate_python(values)  # type: ignore[no-any-return]",
        "        return model.model_construct(**values)",
        "queue",
    ),
    Fault(
        "page tokens are taken from anybody",
        "providers/lcplatform_runtime/paging.py",
        "        if not genuine:",
        "        if not sealed:",
        "secrets",
    ),
    Fault(
        "a range starts one byte late",
        "providers/lcplatform_mock/objects.py",
        "    return offset, min(size - offset,",
        "    return offset + 1, min(size - offset - 1,",
        "object_store",
    ),
    Fault(
        "an event reaches a rule that is not in force",
        "providers/lcplatform_mock/event_bus.py",
        "            if not record.enabled:\n                index.discard(rule)",
        "            if record.enabled is None:\n                index.discard(rule)",
        "event_bus",
    ),
    Fault(
        "an event that cannot be delivered is lost",
        "providers/lcplatform_mock/event_delivering.py",
        "            if pending.letter is None and pending.target.dead_letter_queue is not None:",
        "            if pending.letter is not None and pending.target.dead_letter_queue is not None:",
        "event_bus",
    ),
    Fault(
        "a replay takes events that came too late for it",
        "providers/lcplatform_mock/event_replaying.py",
        "replay.since <= event.at < replay.until",
        "replay.since <= event.at <= replay.until",
        "event_bus",
    ),
    Fault(
        "what a pattern asks of an object in an array is asked of all objects together",
        "providers/lcplatform_runtime/patterns/plain.py",
        "any(_inside(inner, it, event) for it in (list(objects(value.get(name))) or [{}]))",
        "all(any(_inside([one], it, event) for it in (list(objects(value.get(name))) or [{}])) for one in inner)",
        "event_bus",
    ),
    Fault(
        "a code is good without the verifier of its login",
        "providers/lcplatform_mock/issuer/server.py",
        "self.register_grant(CodeGrant, [RequiredChallenge()])",
        "self.register_grant(CodeGrant, [])",
        "authentication",
    ),
    Fault(
        "a code works more than once",
        "providers/lcplatform_mock/issuer/grants.py",
        "        if record.login is not None:\n",
        '        if record.login == "":\n',
        "authentication",
    ),
    Fault(
        "whoever brings a code again leaves its login as it is",
        "providers/lcplatform_mock/issuer/grants.py",
        "            if login is not None:\n                self.tokens.end(login)\n",
        "            if login is None:\n                self.tokens.end(record)  # type: ignore[arg-type]\n",
        "authentication",
    ),
    Fault(
        "a code is good for ever",
        "providers/lcplatform_mock/issuer/grants.py",
        "return Found(key, record) if self.tokens.now() < record.expires_at else None",
        "return Found(key, record)",
        "authentication",
    ),
    Fault(
        "a refresh token that was replaced is still good",
        "providers/lcplatform_mock/issuer/tokens.py",
        "return given, int(number) == login.refreshes",
        "return given, int(number) <= login.refreshes",
        "authentication",
    ),
    Fault(
        "a refresh token that comes again leaves its login as it is",
        "providers/lcplatform_mock/issuer/grants.py",
        "            self.tokens.end(given.login)\n",
        "            self.tokens.login(given.login.id)\n",
        "authentication",
    ),
    Fault(
        "a token for somebody else is taken",
        "providers/lcplatform_runtime/oidc/verification.py",
        "        if (audience or self._own_audience[kind]) not in found.audience:\n",
        "        if not found.audience:\n",
        "authentication",
    ),
    Fault(
        "a token is good for ever",
        "providers/lcplatform_runtime/oidc/verification.py",
        "        if not found.starts <= self._now() < found.ends:\n",
        "        if not found.starts <= self._now():\n",
        "authentication",
    ),
    Fault(
        "an id token is taken for an access token",
        "providers/lcplatform_runtime/oidc/verification.py",
        "        if found.kind != kind:\n",
        "        if found.kind not in {ACCESS, ID}:\n",
        "authentication",
    ),
    Fault(
        "an id token of another login is taken",
        "providers/lcplatform_runtime/oidc/verification.py",
        '            _check_same("nonce", nonce, found.all.get("nonce"))\n',
        '            _check_same("nonce", None, found.all.get("nonce"))\n',
        "authentication",
    ),
    Fault(
        "scopes that are required are not looked for",
        "providers/lcplatform_runtime/oidc/verification.py",
        "if it not in claims.scopes]",
        "if it in ()]",
        "authentication",
    ),
    Fault(
        "a redirect of another issuer is taken",
        "providers/lcplatform_runtime/oidc/relying_party.py",
        "        if issuer is not None and issuer != self._metadata.get().issuer:\n",
        "        if issuer is not None and not self._metadata.get().issuer:\n",
        "authentication",
    ),
    Fault(
        "a caller can take the challenge out of a login",
        "providers/lcplatform_runtime/oidc/login.py",
        "    own = sorted(_OWN & parameters.keys())\n",
        '    own = sorted({"state"} & parameters.keys())\n',
        "authentication",
    ),
    Fault(
        "a device is given its tokens twice",
        "providers/lcplatform_mock/issuer/grants.py",
        '        self.store.drop("devices", found.key)\n',
        "",
        "authentication",
    ),
    Fault(
        "documents whose field is missing are not equal to null",
        "providers/lcplatform_mock/documents/conditions.py",
        "    return value is None or value is MISSING\n",
        "    return value is None\n",
        "document_store",
    ),
    Fault(
        "a document is negated element by element",
        "providers/lcplatform_mock/documents/conditions.py",
        "        match = self.condition.matcher(path)\n        return lambda document: not match(document)\n",
        "        return anywhere(path, self.test)\n",
        "document_store",
    ),
    Fault(
        "a unique index of documents takes values twice",
        "providers/lcplatform_mock/documents/collection.py",
        "        if index.shape.definition.unique and index.holder(new, before) is not None:\n",
        "        if index.shape.definition.unique and before is not None and index.holder(new, before):\n",
        "document_store",
    ),
    Fault(
        "documents that lack its field are looked for in a sparse index",
        "providers/lcplatform_mock/documents/planner.py",
        "    nulls = not index.shape.definition.sparse and not index.multikey\n",
        "    nulls = not index.multikey\n",
        "document_store",
    ),
    Fault(
        "a stale etag of a document is taken",
        "providers/lcplatform_mock/documents/answers.py",
        "    if if_match is not None and if_match != stored.etag:\n",
        "    if if_match is not None and not stored.etag:\n",
        "document_store",
    ),
    Fault(
        "documents expire by the latest of their times",
        "providers/lcplatform_mock/documents/collection.py",
        "        return min(moments, default=None)\n",
        "        return max(moments, default=None)\n",
        "document_store",
    ),
    Fault(
        "a transaction overwrites a document that somebody else changed",
        "providers/lcplatform_mock/documents/store.py",
        "        if public.documents.get(stored.key) is not original:\n",
        "        if public.documents.get(stored.key) is not original and before is None:\n",
        "document_store",
    ),
    Fault(
        "a transaction shares its documents before it is committed",
        "providers/lcplatform_mock/documents/store.py",
        "        view = transaction.collections[name] = view.owned()\n        view.apply(before, after)\n",
        "        view = transaction.collections[name] = view.owned()\n        view.apply(before, after)\n        public.owned().apply(before, after)\n        self.state.collections[name] = view\n",
        "document_store",
    ),
    Fault(
        "a transaction goes on after a write of documents that failed",
        "providers/lcplatform_mock/document_store.py",
        "                service._store.transactions.end(self._begun)\n            service._ring()\n",
        "                service._ring()\n            service._ring()\n",
        "document_store",
    ),
    Fault(
        "an operator changes part of a document before another one fails",
        "providers/lcplatform_mock/documents/updates.py",
        "            changed = dict(value)\n        if after is MISSING:\n",
        "            changed = value\n        if after is MISSING:\n",
        "document_store",
    ),
    Fault(
        "an array of a document is sorted by its first element",
        "providers/lcplatform_runtime/documents/sorts.py",
        "        return found[0] if len(found) == 1 else min(found, key=self.key_of)\n",
        "        return found[0]\n",
        "document_store",
    ),
    Fault(
        "an update inserts a document without what its filter says",
        "providers/lcplatform_mock/documents/writing.py",
        '    base = reading("filter", lambda: _base(filter))\n',
        '    base: Object = {"_id": _base(filter)["_id"]} if "_id" in _base(filter) else {}\n',
        "document_store",
    ),
    Fault(
        "whoever watches documents again misses the first change",
        "providers/lcplatform_mock/document_store.py",
        "            sequence = answers.resumed(request.resume_token, incarnation, log)\n",
        "            sequence = answers.resumed(request.resume_token, incarnation, log)\n            sequence = log.last if request.resume_token else sequence\n",
        "document_store",
    ),
)
