"""Users of Locust hold sessions, and what they do is counted as it was; the report says what was measured."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.load import report
from tests.load.report import rendered, results, stale

ROOT = Path(__file__).parents[2]
USER = (ROOT / "tests" / "load" / "user.py").read_text("utf-8")


def test_the_committed_report_is_what_the_committed_results_say() -> None:
    assert stale(results()) == [], "run: python -m tests.load.report"


def test_a_report_without_a_step_is_another() -> None:
    data = results()
    del data["steps"][0]
    assert report.DOCUMENT in stale(data)
    assert rendered(data) == rendered(json.loads(json.dumps(data)))


def test_the_scenarios_run_and_every_call_is_answered() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.load", "--seconds", "6", "--dry"],
        cwd=ROOT,
        env={**os.environ, "LOCUST_SKIP_MONKEY_PATCH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if " users " in line]
    assert len(lines) == len({(step["scenario"], step["users"]) for step in results()["steps"]})
    for line in lines:
        rate = re.search(r"users +([\d,]+)/s", line)
        assert rate is not None
        assert int(rate[1].replace(",", "")) > 0, line
        assert " 0 failed" in line


def test_the_user_of_the_document_works_under_locust_itself_with_all_that_gevent_replaces(tmp_path: Path) -> None:
    (locustfile,) = re.findall(r"```python\n# locustfile\.py\n(.*?)```", report.DOCUMENT.read_text("utf-8"), re.DOTALL)
    ours = locustfile.replace(
        "generated.library import LibraryStub", "examples.calculator.generated.calculator import CalculatorStub"
    )
    ours = ours.replace("LibraryStub", "CalculatorStub").replace('api.search("Sea")', "api.add(1, 2)")
    (tmp_path / "locustfile.py").write_text(ours, "utf-8")
    (tmp_path / "user.py").write_text(USER, "utf-8")
    command = [sys.executable, "-m", "examples.calculator.server", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().split()[1]
            arguments = (
                "-f",
                "locustfile.py",
                "--host",
                url,
                "--headless",
                "--users",
                "5",
            )
            done = subprocess.run(
                [sys.executable, "-m", "locust", *arguments, "--spawn-rate", "5", "--run-time", "3s", "--json"],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
        finally:
            server.terminate()
    assert done.returncode == 0, done.stdout + done.stderr
    (entry,) = json.loads(done.stdout)
    assert (entry["name"], entry["method"], entry["num_failures"]) == ("search", "capnweb", 0)
    assert entry["num_requests"] > 0
