# Where kerashpo is missing, as in Colab, this cell installs it; elsewhere it does nothing. It takes its wheel (`pip wheel --no-deps .`
# in a clone of the repository makes it) or a clone from the folder of this notebook, otherwise what the address offers, if there is one.
# Donde falta kerashpo, como en Colab, esta celda lo instala; si no falta, no hace nada. Usa su wheel (lo crea `pip wheel --no-deps .` en
# una copia del repositorio) o una copia del repositorio en la carpeta de este cuaderno; si no los hay, lo que ofrezca la dirección.
import importlib.util
import subprocess
import sys
from pathlib import Path

ADDRESS = ""  # of the public repository, while there is none: empty

if importlib.util.find_spec("kerashpo") is None:
    here = Path.cwd()
    folders = [*here.iterdir(), here, *here.parents]
    wheels = sorted(here.glob("kerashpo-*.whl"))
    clones = [f for f in folders if (f / "pyproject.toml").exists() and (f / "kerashpo").is_dir()]
    online = [f"git+{ADDRESS}"] if ADDRESS else []
    if not wheels + clones + online:
        raise ModuleNotFoundError(
            f"kerashpo is not installed, and {here} holds neither its wheel nor its repository. / "
            f"Falta kerashpo, y en {here} no están ni su wheel ni su repositorio."
        )
    source = str([*wheels[-1:], *clones, *online][0])
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", source], check=True)
