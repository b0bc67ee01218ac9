"""Reading of the sample data and code lists that lie beside each partner's modules."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def read_samples(module_file: str, name: str = "samples.yaml") -> Any:
    """Return the content of a YAML file in the folder of the calling module (pass its `__file__`).

    It is read once a process, and the same object given to all: nobody changes it.
    """
    return yaml.safe_load(Path(module_file).with_name(name).read_text(encoding="utf-8"))
