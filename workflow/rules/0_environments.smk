# IN   the adapters of every rule
# OUT  environments/<environment>.json: what each environment imported; on a cluster nothing waits for a GPU before that


rule check_environment:
    """Import what the stages of the submitting environment import."""
    output:
        record=f"{RESULTS}/environments/{SUBMITTING}.json",
    log:
        f"{RESULTS}/logs/check_environment/{SUBMITTING}.log",
    conda:
        environment_file(SUBMITTING)
    params:
        environment=SUBMITTING,
        scripts=lambda wildcards: scripts_of(SUBMITTING),
    script:
        "../scripts/check_environment.py"


use rule check_environment as check_training_environment with:
    output:
        record=f"{RESULTS}/environments/{TRAINING}.json",
    log:
        f"{RESULTS}/logs/check_environment/{TRAINING}.log",
    conda:
        environment_file(TRAINING)
    envmodules:
        module_of(TRAINING),
    params:
        environment=TRAINING,
        scripts=lambda wildcards: scripts_of(TRAINING),


use rule check_environment as check_gpu_environment with:
    output:
        record=f"{RESULTS}/environments/{ON_GPU}.json",
    log:
        f"{RESULTS}/logs/check_environment/{ON_GPU}.log",
    conda:
        environment_file(ON_GPU)
    container:
        image_of(ON_GPU)
    envmodules:
        module_of(ON_GPU),
    params:
        environment=ON_GPU,
        scripts=lambda wildcards: scripts_of(ON_GPU),


rule preflight:
    """Every environment that the selected runs need imports what its stages import."""
    input:
        [f"{RESULTS}/environments/{name}.json" for name in dict.fromkeys([SUBMITTING, TRAINING, training_name()])],


rule plan:
    """Print what a launch costs: runs, GPU-hours, memory, storage, the longest way; what is there, what is missing."""
    log:
        f"{RESULTS}/logs/plan.log",
    conda:
        environment_file(SUBMITTING)
    params:
        rows=lambda wildcards: launch().rows(),
        missing=lambda wildcards: list(missing_before_launch()),
        stem=f"{RESULTS}/plan",
    script:
        "../scripts/plan.py"


localrules:
    plan,
    check_environment,
    check_training_environment,
    check_gpu_environment,
    preflight,
