"""A program in a fork of the warm interpreter does what it does in an interpreter of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import warm

ENDINGS = {
    "end": "print('done')",
    "exit": "import sys; sys.exit(7)",
    "words": "raise SystemExit('no')",
    "error": "print('begun'); 1 / 0",
    "syntax": "1 +",
    "signal": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "arguments": "import sys; print(sys.argv, __name__, sys.stdin.read())",
    "streams": "import os, sys; print('out', end=''); print('err', file=sys.stderr); os.write(1, b'raw')",
    "class": "import sys\nclass Own: pass\nprint(Own, getattr(sys.modules['__main__'], 'Own') is Own)",
}


@pytest.mark.parametrize("code", ENDINGS.values(), ids=ENDINGS)
def test_code_output_and_error_are_those_of_an_interpreter(code: str) -> None:
    words = ["-c", code, "one", "two"]
    true = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, env=warm.environment()
    )
    ran = warm.run(words, env=warm.environment())
    assert (ran.returncode, ran.stdout) == (true.returncode, true.stdout)
    assert ran.stderr.splitlines()[-1:] == true.stderr.splitlines()[-1:]
    assert ("Traceback" in ran.stderr) or "Traceback" not in true.stderr


def test_folder_environment_and_files_are_those_that_were_given(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("import os\nSAID = os.environ['SAID']\n")
    (tmp_path / "program.py").write_text("import sys, beside; print(beside.SAID, sys.argv[1:])")
    env = warm.environment(SAID="a word")
    for words, end in ((["-m", "program"], "[]\n"), ([tmp_path / "program.py", 5], "['5']\n")):
        assert warm.run(words, cwd=tmp_path, env=env).stdout == f"a word {end}"
    assert warm.run(["-c", "import os; print(os.getcwd(), 'SAID' in os.environ)"], cwd=tmp_path, env={}).stdout == (
        f"{tmp_path.resolve()} False\n"
    )


def test_the_next_program_and_the_tests_see_nothing_of_the_last_one(tmp_path: Path) -> None:
    before = Path.cwd(), dict(os.environ)
    warm.run(["-c", "import os, sys, pandas; os.environ['LEFT'] = 'x'; os.chdir('/'); pandas.left = sys.left = 1"])
    code = "import os, sys, pandas; print(os.getcwd(), 'LEFT' in os.environ, hasattr(pandas, 'left'))"
    assert warm.run(["-c", code], cwd=tmp_path).stdout == f"{tmp_path.resolve()} False False\n"
    assert (Path.cwd(), dict(os.environ)) == before


def test_what_is_heavy_is_there_and_no_thread_of_python_is() -> None:
    code = "import sys, threading; print({'torch', 'pandas', 'lightgbm'} <= {*sys.modules}, threading.active_count())"
    assert warm.run(["-c", code]).stdout == "True 1\n"


def test_what_takes_too_long_is_killed() -> None:
    begun = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired) as late:
        warm.run(["-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"], timeout=1)
    assert time.monotonic() - begun < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(late.value.output), 0)
    assert warm.run(["-c", "print('goes on')"]).stdout == "goes on\n"


def test_the_other_interpreter_has_another_order_of_hashes() -> None:
    words = ["-c", "print(hash('a'), hash('b'))"]
    one, again, other = (warm.run(words, other=there).stdout for there in (False, False, True))
    assert one == again != other


def test_a_program_is_killed_when_it_has_said_so() -> None:
    code = "import sys, time\nfor i in range(9): print('at', i, file=sys.stderr, flush=True); time.sleep(i)"
    killed = warm.run(["-c", code], until="at [3-5]")
    assert (killed.returncode, killed.stderr.split()[-1]) == (-signal.SIGKILL, "3")
