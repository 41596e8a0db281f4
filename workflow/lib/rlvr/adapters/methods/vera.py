"""VeRA, PEFT's own: diag(b) B diag(d) A with A and B random, frozen and shared by all modules."""

from peft import PeftModel, VeraConfig, get_peft_model
from transformers import PreTrainedModel

from rlvr.adapters.methods.linears import check_rank, target_names
from rlvr.plan.settings import TrainSettings


def attach(base: PreTrainedModel, settings: TrainSettings) -> PeftModel:
    """The base with VeRA on the target set: b = 0, d = 0.1.

    The projections are drawn from the run's seed and saved with the vectors: drawn again elsewhere they might differ.

    Raises:
        InputError: If the rank is above that of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, rank)
    config = VeraConfig(
        task_type="CAUSAL_LM",
        r=rank,
        d_initial=0.1,  # SOURCE: Kopiczko et al., and table 1 of the comparison of methods
        vera_dropout=0.0,
        projection_prng_key=settings.seed,
        save_projection=True,
        bias="none",
        target_modules=targets,
    )
    return get_peft_model(base, config)
