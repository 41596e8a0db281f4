"""QuanTA and MoRA as tuners of PEFT: registered by `import rlvr.adapters`, in any order, at no cost before."""

import json
import subprocess
import sys
from collections.abc import Iterator
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


ENVIRONMENT = {"PYTHONPATH": str(LIBRARY), "PATH": "/usr/bin:/bin", "HF_HUB_OFFLINE": "1"}
# A process that has loaded what takes the time and knows of no tuner, and forks itself for every code that it is given.
FORKS = """
import json, os, sys, traceback
import accelerate, torch, transformers.modeling_utils
assert not {"peft", "rlvr"} & set(sys.modules)
for line in sys.stdin:
    code, errors = json.loads(line)
    process = os.fork()
    if not process:
        status = 1
        try:
            exec(code, {"__name__": "__main__"})
            status = 0
        except BaseException:
            with open(errors, "w") as stream:
                traceback.print_exc(file=stream)
        finally:
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def without_peft() -> Iterator[subprocess.Popen[str]]:
    """A process to which neither PEFT nor this library is known, with torch and transformers loaded."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", FORKS], env=ENVIRONMENT, **pipes) as process:
        yield process
        process.communicate()


def errors_of(code: str, process: subprocess.Popen[str], folder: Path) -> str:
    """What a fork says that runs a code; empty if it ended well."""
    process.stdin.write(json.dumps([code, str(folder / "errors")]) + "\n")
    process.stdin.flush()
    status = process.stdout.readline()
    written = folder / "errors"
    return "" if status == "0\n" else f"ended with {status}{written.read_text() if written.exists() else ''}"


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
def test_both_tuners_are_known_whatever_is_imported_first(first: str, without_peft, tmp_path: Path) -> None:
    assert errors_of(f"{first}\n{KNOWN}", without_peft, tmp_path) == ""


def test_without_the_library_the_tuners_are_not_known(without_peft, tmp_path: Path) -> None:
    assert "AssertionError" in errors_of(f"import peft\n{KNOWN}", without_peft, tmp_path)


def test_importing_the_adapters_loads_neither_torch_nor_peft() -> None:
    code = "import sys, rlvr.adapters.methods; assert not {'torch', 'peft'} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("method", ["quanta", "mora"])
def test_a_saved_adapter_is_loaded_by_plain_peft_after_one_import(method: str, without_peft, tmp_path: Path) -> None:
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
    assert errors_of(code, without_peft, tmp_path) == ""
