"""Reading of the sample data and code lists that lie beside each partner's modules."""

from pathlib import Path
from typing import Any

import yaml


def read_samples(module_file: str, name: str = "samples.yaml") -> Any:
    """Return the content of a YAML file in the folder of the calling module (pass its `__file__`)."""
    return yaml.safe_load(Path(module_file).with_name(name).read_text(encoding="utf-8"))
