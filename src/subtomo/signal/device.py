"""Choice of the torch device."""

import torch

from subtomo.errors import SettingsError


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
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise SettingsError(
            f"--device {name} cannot be used ({reason}); expected auto, cpu, cuda, cuda:N or mps"
        ) from error
    return name
