"""VeRA, PEFT's own: diag(b) B diag(d) A with A and B random, frozen and shared by all modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlvr.adapters.family import Family

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import PreTrainedModel

    from rlvr.plan.settings import TrainSettings

D_INITIAL = 0.1  # SOURCE: Kopiczko et al.; "Evaluating Parameter Efficient Methods for RLVR", table 1


class Vera(Family):
    """Two trained vectors per module around shared random projections."""

    name = "vera"
    family = "vectors"
    takes = frozenset({"rank", "target_modules"})
    source = "Kopiczko et al. 2023, arXiv:2310.11454; peft"
    example = {"rank": 2, "target_modules": "no_kv"}
    tuner = "VeraModel"
    marks = {"save_projection": True, "d_initial": D_INITIAL}
    fields = {"rank": "r", "seed": "projection_prng_key", "dropout": "vera_dropout"}
    exports = True
    has_dropout = True

    def attach(self, base: PreTrainedModel, settings: TrainSettings, decomposition: Path | None = None) -> PeftModel:
        """The base with VeRA on the target set: b = 0, d = 0.1.

        The projections are drawn from the run's seed and saved with the vectors: drawn again elsewhere they might
        differ.

        Raises:
            InputError: If the rank is above that of a target's weight.
        """
        from peft import VeraConfig, get_peft_model

        from rlvr.adapters.linears import check_rank, target_names

        rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
        check_rank(base, targets, rank)
        config = VeraConfig(
            task_type="CAUSAL_LM",
            r=rank,
            d_initial=D_INITIAL,
            vera_dropout=settings.dropout,
            projection_prng_key=settings.seed,
            save_projection=True,
            bias="none",
            target_modules=targets,
        )
        return get_peft_model(base, config)

    def count(self, rows: int, cols: int, module: str, settings: TrainSettings) -> int:
        """One vector b over the outputs, one vector d over the rank."""
        return rows + settings.required("rank")


METHODS = (Vera(),)
