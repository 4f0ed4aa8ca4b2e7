"""What `python -m benchmarks` prints and how it exits, on benchmarks that cost nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from benchmarks.__main__ import main
from benchmarks.benchmark import Benchmark, Effort
from benchmarks.catalogue import every
from benchmarks.verdict import Bar, Samples


def _benchmark(
    name: str, ratio: float = 0.5, measure: Callable[[Effort], Samples] | None = None
) -> Benchmark:
    return Benchmark(
        name=name,
        bar=Bar(0.8),
        compared="ours over theirs",
        unit="µs",
        measure=measure or (lambda effort: Samples((ratio,) * 3, (1.0,) * 3)),
    )


def _broken(_: Effort) -> Samples:
    raise OSError("no such server")


def test_each_result_is_one_json_object_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json"], [_benchmark("quick_get"), _benchmark("slow_get")]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["name"] for line in lines] == ["quick_get", "slow_get"]
    assert lines[0] == {
        "name": "quick_get",
        "ratio": 0.5,
        "bar": 0.8,
        "bar_is": "at most",
        "holds": True,
        "ours": 0.5,
        "peer": 1.0,
        "low": 0.5,
        "high": 0.5,
        "samples": 3,
        "unit": "µs",
        "compared": "ours over theirs",
    }


def test_the_table_has_a_line_for_each_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], [_benchmark("quick_get")]) == 0
    heading, rule, line = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["name", "ours", "peer"]
    assert set(rule) == {"-", " "}
    assert line.split()[:5] == ["quick_get", "0.5", "1", "µs", "0.5"]
    assert "≤ 0.8  yes" in line


def test_a_bar_that_is_missed_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], [_benchmark("slow_get", 2.0), _benchmark("quick_get")]) == 1
    assert "NO" in capsys.readouterr().out


def test_a_benchmark_that_breaks_is_reported_and_the_others_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = _benchmark("broken", measure=_broken)
    assert main(["--json"], [broken, _benchmark("quick_get")]) == 1
    printed = capsys.readouterr()
    first, second = map(json.loads, printed.out.splitlines())
    assert first["holds"] is False
    assert first["ratio"] is None
    assert first["error"] == "OSError: no such server"
    assert second["holds"] is True
    assert "Traceback" in printed.err


def test_a_name_chooses_the_benchmark_of_that_name_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--json", "get"], [_benchmark("get"), _benchmark("get_async")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_beginning_of_names_chooses_all_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    known = [_benchmark("s3_put"), _benchmark("s3_get"), _benchmark("sqs_send")]
    assert main(["--json", "s3"], known) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_an_unknown_name_exits_with_2_and_measures_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["nothing"], [_benchmark("broken", measure=_broken)]) == 2
    assert "nothing" in capsys.readouterr().err


def test_the_list_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"], [_benchmark("broken", measure=_broken)]) == 0
    assert capsys.readouterr().out.split()[:3] == ["broken", "≤", "0.8"]


def test_quick_takes_fewer_rounds(capsys: pytest.CaptureFixture[str]) -> None:
    def measure(effort: Effort) -> Samples:
        return Samples((0.5,) * effort.rounds(40), (1.0,) * effort.rounds(40))

    counts = []
    for words in (["--json"], ["--json", "--quick"]):
        main(words, [_benchmark("get", measure=measure)])
        counts.append(json.loads(capsys.readouterr().out)["samples"])
    assert counts == [40, 10]


def test_every_benchmark_has_a_name_of_its_own() -> None:
    names = [it.name for it in every()]
    assert len(names) == len(set(names))
    assert {"client_overhead", "s3_put", "grpc_unary", "generate_cold"} <= set(names)
