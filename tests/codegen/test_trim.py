"""Which names stay in the imports of a module: those that its code uses, whatever its prose says."""

from __future__ import annotations

import pytest

from lcplatform_codegen.trim import trim


@pytest.mark.parametrize(
    "code",
    [
        "x = Name()",
        "def f(a: Name = 1) -> None: ...",
        "x: 'Name'",
        'x: "list[Name]"',
        "x = f(name=Name)",
        "x = Name == 1",
        "x = Name.y",
        'x = "#", Name',
        "x = '\"', Name",
        'x = "\\"", Name',
        '"""Says \\"""" + Name',
        "__all__ = ['Name']",
    ],
)
def test_what_is_used_stays(code: str) -> None:
    module = f'"""About."""\n\nfrom a.b import Name\n\n{code}\n'
    assert trim(module) == module


@pytest.mark.parametrize(
    "code",
    [
        '"""A Name."""',
        '"""A\n\n\\"Name\\" and "Name"\n"""',
        "# a Name",
        "x = y.Name",
        "x = f(Name=1)",
        "x = Names",
    ],
)
def test_what_is_only_spoken_of_goes(code: str) -> None:
    assert trim(f'"""About."""\nfrom a.b import Name\n{code}\n') == f'"""About."""\n{code}\n'


def test_each_name_counts_for_itself() -> None:
    before = (
        '"""About."""\nfrom __future__ import annotations\nimport grpc\nimport json\nfrom a import B as C, D, E as D2\n'
        "if TYPE_CHECKING:\n    from f import G, H\n    from i import J\nx = json, B, D, D2, H\n"
    )
    assert trim(before) == (
        '"""About."""\nfrom __future__ import annotations\nimport json\nfrom a import D, E as D2\n'
        "if TYPE_CHECKING:\n    from f import H\nx = json, B, D, D2, H\n"
    )
