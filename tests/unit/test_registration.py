"""QuanTA and MoRA as tuners of PEFT: registered by `import rlvr.adapters`, in any order, at no cost before."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_models import settings_of, small_model, token_batch

from rlvr.adapters.methods import METHODS

LIBRARY = Path(__file__).resolve().parents[2] / "workflow" / "lib"
KNOWN = """
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING as known
assert {'QUANTA', 'MORA'} <= {str(kind) for kind in known}
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(LIBRARY), "PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1"}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(
    "first",
    [
        "import rlvr.adapters; import peft",
        "import peft; import rlvr.adapters",
        "import rlvr.adapters; from peft import PeftModel",
        "import rlvr.adapters.mora",
        "import rlvr.adapters.quanta.quanta_layer",
        "import rlvr.adapters.methods; import peft.tuners",
    ],
)
def test_both_tuners_are_known_whatever_is_imported_first(first: str) -> None:
    done = run(f"{first}\n{KNOWN}")
    assert done.returncode == 0, done.stderr


def test_importing_the_adapters_loads_neither_torch_nor_peft() -> None:
    done = run("import sys, rlvr.adapters.methods; assert not {'torch', 'peft'} & set(sys.modules)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("method", ["quanta", "mora"])
def test_a_saved_adapter_is_loaded_by_plain_peft_after_one_import(method: str, tmp_path: Path) -> None:
    """Another process knows nothing but the folders; its logits are those of the model that was saved."""
    small_model().save_pretrained(tmp_path / "base")
    model = METHODS[method].attach(small_model(), settings_of(method)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.05)
        METHODS[method].save_adapter(model, tmp_path / "adapter")
        torch.save(model(token_batch()).logits, tmp_path / "logits.pt")
        torch.save(token_batch(), tmp_path / "tokens.pt")
    code = f"""
import rlvr.adapters
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM
base = AutoModelForCausalLM.from_pretrained({str(tmp_path / "base")!r}, dtype=torch.float32)
model = PeftModel.from_pretrained(base, {str(tmp_path / "adapter")!r}).eval()
tokens, expected = torch.load({str(tmp_path / "tokens.pt")!r}), torch.load({str(tmp_path / "logits.pt")!r})
with torch.no_grad():
    assert torch.allclose(model(tokens).logits, expected, atol=1e-6)
    with model.disable_adapter():
        assert not torch.allclose(model(tokens).logits, expected, atol=1e-4)
"""
    done = run(code)
    assert done.returncode == 0, done.stderr
