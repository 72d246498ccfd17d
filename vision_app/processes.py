"""What a child process is given: the package on its path, quiet logs, and no secrets."""

import os
from pathlib import Path

SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY", "CREDENTIAL")


def child_environment() -> dict[str, str]:
    """Return this process's environment without secrets, with this package importable and GPU memory that grows."""
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRET_WORDS)}
    package_parent = str(Path(__file__).absolute().parents[1])
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join([package_parent, *filter(None, [kept.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": kept.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }
