"""The way to the Hugging Face Hub: its address, the token, and what goes wrong there in one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from vision_app.data.download import data_root
from vision_app.errors import InputError

COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Asked:
    """What a reference asks for."""

    repository: str
    revision: str

    @property
    def home(self) -> Path:
        """The folder of all that is fetched of the repository."""
        return data_root() / "hub" / self.repository.replace("/", "--")


def endpoint() -> str:
    """Return the address of the Hub: HF_ENDPOINT, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def token() -> str | bool:
    """Return HF_TOKEN, or False, which keeps a token that is stored on this machine from being used.

    Raises:
        InputError: it has characters that cannot be sent; the error of the library that sends would show it.
    """
    found = os.environ.get("HF_TOKEN", "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", found):
        raise InputError("HF_TOKEN holds characters that no token has; set it again.")
    return found or False


@contextmanager
def explained(asked: Asked) -> Iterator[None]:
    """Turn what fails on the way to the Hub into one sentence."""
    from huggingface_hub.errors import HTTPError

    try:
        yield
    except InputError:
        raise
    except (HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(_explain(error, asked)) from error


def _explain(error: Exception, asked: Asked) -> str:
    from huggingface_hub import errors

    name, may_read = asked.repository, "set HF_TOKEN to a token that may read it"
    host = urlsplit(endpoint()).hostname
    match error:
        case errors.GatedRepoError():
            return f"{name} is gated: accept its terms at {endpoint()}/datasets/{name}, and {may_read}."
        case errors.RevisionNotFoundError():
            return f"{name} has no revision '{asked.revision[:80]}'; expected a branch, tag or commit."
        case errors.RepositoryNotFoundError():
            return f"There is no dataset {name} on the Hub, or it is private; check the name, or {may_read}."
        case errors.HfHubHTTPError():
            status = error.response.status_code
            advice = may_read if status in (401, 403) else "try again later"
            return f"The Hub answered {status} when asked for {name}; {advice}."
        case errors.OfflineModeIsEnabled():
            return f"{name} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it."
        case errors.HTTPError():
            return f"Cannot reach the Hub at {host} ({type(error).__name__}); connect to the internet and try again."
        case OSError():
            return f"Cannot write to {asked.home} ({error.strerror})."
    return f"{host} did not answer as the Hub does when asked for {name}; try again later."
