"""`python -m lcplatform_codegen.release`: promises the IDL as it stands. `make check-breaking` compares with it ever after."""

from __future__ import annotations

import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

from lcplatform_codegen.load import OPTIONS, Idl, load
from lcplatform_codegen.resolve import build

ROOT = Path(__file__).parents[2]
RELEASED = ROOT / "idl" / "released.binpb"


def descriptors(idl: Idl) -> bytes:
    """The descriptor set of what is released: no drafts, and no comments, which nobody can break."""
    promised = {path for package in build(idl).released for path in package.files} | {OPTIONS}
    kept = descriptor_pb2.FileDescriptorSet()
    for file in idl.files:
        if file.name in promised or file.name.startswith("google/"):
            kept.file.add().CopyFrom(file)
            kept.file[-1].ClearField("source_code_info")
    return kept.SerializeToString(deterministic=True)


def main() -> int:
    """Write the descriptor set."""
    RELEASED.write_bytes(descriptors(load(ROOT / "idl")))
    print(f"released as {RELEASED.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
