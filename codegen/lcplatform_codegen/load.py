"""Reads the IDL: one protoc call gives the descriptors, comments and custom options included."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message as ProtoMessage
from grpc_tools import protoc

from lcplatform_codegen.errors import IdlError

OPTIONS = "lcplatform/options/v1/options.proto"
_EXTENSIONS = ("file", "service", "method", "message", "field")


@dataclass(frozen=True, slots=True)
class Idl:
    """The parsed IDL.

    `files` are the descriptors in dependency order, with comments; `python` maps the path of each protobuf module
    (`*_pb2.py`, `*_pb2.pyi`) to its text; `rules` reads our custom options.
    """

    files: tuple[descriptor_pb2.FileDescriptorProto, ...]
    python: dict[str, str]
    rules: Rules


class Rules:
    """Reads the options of `options.proto` without importing a generated module: they are parsed again with a pool."""

    def __init__(self, pool: descriptor_pool.DescriptorPool) -> None:
        self._extensions = {
            name: pool.FindExtensionByName(f"lcplatform.options.v1.{name}") for name in _EXTENSIONS
        }
        self._classes: dict[str, type[ProtoMessage]] = {}
        self._values: dict[str, type[ProtoMessage]] = {}
        for name, extension in self._extensions.items():
            assert extension.containing_type is not None
            assert extension.message_type is not None
            self._classes[name] = message_factory.GetMessageClass(extension.containing_type)
            self._values[name] = message_factory.GetMessageClass(extension.message_type)

    def of(self, kind: str, options: ProtoMessage) -> Any:
        """The rules of one element: a message of `options.proto`, empty where the element says nothing.

        The type is only known at run time, since its module is one of those that are being generated.
        """
        parsed: Any = self._classes[kind].FromString(options.SerializeToString())
        extension = self._extensions[kind]
        return (
            parsed.Extensions[extension] if parsed.HasExtension(extension) else self._values[kind]()
        )


def load(idl: Path, *, includes: tuple[Path, ...] = ()) -> Idl:
    """Parse every `.proto` below `idl`, which may import what is below `includes`.

    What protoc refuses is an `IdlError` in protoc's words.
    """
    sources = sorted(path.relative_to(idl).as_posix() for path in idl.rglob("*.proto"))
    if not sources:
        raise IdlError([f"{idl.name}: there is no .proto file"])
    with tempfile.TemporaryDirectory() as scratch:
        descriptors = Path(scratch, "descriptors.binpb")
        python = Path(scratch, "python")
        python.mkdir()
        arguments = [
            "protoc",
            *(f"-I{folder}" for folder in (idl, *includes)),
            f"-I{resources.files('grpc_tools') / '_proto'}",
            f"--descriptor_set_out={descriptors}",
            "--include_imports",
            "--include_source_info",
            f"--python_out={python}",
            f"--pyi_out={python}",
            *sources,
        ]
        if protoc.main(arguments) != 0:
            raise IdlError([f"{idl.name}: protoc refuses the IDL (its words are above)"])
        found = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
        modules = {
            path.relative_to(python).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(python.rglob("*"))
            if path.is_file()
        }
    pool = descriptor_pool.DescriptorPool()
    for file in found.file:
        pool.Add(file)
    return Idl(files=tuple(found.file), python=modules, rules=Rules(pool))
