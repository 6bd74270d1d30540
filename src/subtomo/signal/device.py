"""Choice of the torch device."""

import re

import torch

from subtomo.errors import SettingsError

_NAME = re.compile(r"cpu|cuda(:\d+)?|mps")
_EXPECTED = "auto, cpu, cuda, cuda:N or mps"


def compute_device(name: str) -> str:
    """Choose the torch device.

    Parameters
    ----------
    name : auto, cpu, cuda, cuda:N or mps; auto is cuda where there is one, else cpu

    Raises
    ------
    SettingsError
        If the device is not there.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if not _NAME.fullmatch(name):
        raise SettingsError(f"--device {name}: expected {_EXPECTED}")
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(
            f"--device {name} cannot be used ({reason}); expected {_EXPECTED}"
        ) from error
    return name
