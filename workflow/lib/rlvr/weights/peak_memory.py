"""How much memory a process has taken so far."""

import resource

import torch

GIB = 2**30
KIB = 2**10


def peak_memory_gib() -> dict[str, float]:
    """Largest resident memory of this process, and largest memory allocated on its accelerator."""
    host = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / GIB
    accelerator = torch.cuda.max_memory_allocated() / GIB if torch.cuda.is_available() else 0.0
    return {"host": round(host, 3), "accelerator": round(accelerator, 3)}
