"""The scripts for SLURM and ssh in the documentation run as they stand, with stand-ins for both."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import kerashpo as kt
from kerashpo.executors.dial.keys import write_key

PAGE = Path(__file__).parents[3] / "docs" / "clusters.md"
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")

SEARCH = """
import kerashpo as kt

kt.optimize(
    lambda config: config["x"] ** 2,
    {"x": kt.space.uniform(0.0, 1.0)},
    algorithm="random",
    max_trials=6,
    seed=0,
    directory="study",
    executor=kt.executors.Dial(port=PORT, host="0.0.0.0", key_file="worker.key"),
)
"""

SRUN = """#!/bin/bash
tasks=1
while [[ $1 == --* ]]; do
    case $1 in --ntasks=*) tasks=${1#*=} ;; esac
    shift
done
echo "$tasks $1" >>srun.log
# Two workers stand for any number.
for ((task = 0; task < (tasks > 2 ? 2 : tasks); task++)); do "$@" & done
wait
"""

SSH = """#!/bin/bash
shift
[[ -e worker-1 ]] && exit 0  # one worker will do
touch worker-1
bash -c "$*"
"""

KERASHPO = f"""#!/bin/bash
exec {sys.executable} -m kerashpo.cli "$@"
"""


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, dict[str, str], int]:
    """A folder with the search and a key, the commands' environment, and a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (tmp_path / "search.py").write_text(SEARCH.replace("PORT", str(port)))
    write_key(tmp_path / "worker.key")
    commands = tmp_path / "bin"
    commands.mkdir()
    named = {"srun": SRUN, "ssh": SSH, "kerashpo": KERASHPO, "hostname": "echo 127.0.0.1\n"}
    named["python"] = f'#!/bin/bash\nexec {sys.executable} "$@"\n'
    for name, text in named.items():
        (commands / name).write_text(text if text.startswith("#!") else f"#!/bin/bash\n{text}")
        (commands / name).chmod(0o755)
    paths = os.pathsep.join([str(commands), os.environ["PATH"]])
    variables = {**os.environ, "PATH": paths, "PYTHONPATH": os.pathsep.join(sys.path)}
    return tmp_path, variables, port


@pytest.mark.parametrize("script", BLOCKS, ids=lambda text: text.split()[0].strip("#!"))
def test_scripts_are_valid(script: str) -> None:
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_the_slurm_script_searches(machine: tuple[Path, dict[str, str], int]) -> None:
    folder, variables, port = machine
    (script,) = [block for block in BLOCKS if "#SBATCH" in block]
    # A worker that comes after the search has ended waits for it; SLURM would end it with the job.
    script = script.replace("4100", str(port)).replace("--wait 300", "--wait 20")
    subprocess.run(
        ["bash", "-c", script], cwd=folder, env=variables, check=True, timeout=120, text=True
    )
    study = kt.open_study(folder / "study")
    assert len(study.results) == 6
    assert sorted((folder / "srun.log").read_text().split("\n")[:2]) == ["1 python", "16 kerashpo"]


def test_the_ssh_loop_starts_workers(machine: tuple[Path, dict[str, str], int]) -> None:
    folder, variables, port = machine
    (script,) = [block for block in BLOCKS if "ssh " in block and "for host" in block]
    script = script.replace("4100", str(port))
    with subprocess.Popen([sys.executable, "search.py"], cwd=folder, env=variables) as search:
        try:
            subprocess.run(["bash", "-c", script], cwd=folder, env=variables, check=True)
            assert search.wait(120) == 0
        finally:
            search.kill()
    assert len(kt.open_study(folder / "study").results) == 6
    assert [*folder.glob("worker-*.log")]
