# Where kerashpo is missing, as in Colab, this installs it; elsewhere it does nothing. It is not on PyPI yet: put its wheel
# (`pip wheel --no-deps .` in its repository makes it), or a clone of its repository, into the folder of this notebook.
# Donde falta kerashpo, como en Colab, esta celda lo instala; si no falta, no hace nada. Aún no está en PyPI: ponga su
# wheel (lo crea `pip wheel --no-deps .` en su repositorio) o una copia de su repositorio en la carpeta de este cuaderno.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("kerashpo") is None:
    here = Path.cwd()
    folders = [*here.iterdir(), here, *here.parents]
    wheels = sorted(here.glob("kerashpo-*.whl"))
    clones = [f for f in folders if (f / "pyproject.toml").exists() and (f / "kerashpo").is_dir()]
    if not wheels and not clones:
        raise ModuleNotFoundError(
            f"kerashpo is not installed, and {here} holds neither its wheel nor its repository. / "
            f"Falta kerashpo, y en {here} no están ni su wheel ni su repositorio."
        )
    source = str([*wheels[-1:], *clones][0])
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)
