# IN   what 6_paper makes
# OUT  nothing: names under which tables, figures and documents are asked for (`snakemake table4`, `snakemake paper`)


for _output in OUTPUT_NAMES:

    rule:
        name:
            _output
        input:
            files_of_output(_output),
        localrule: True


rule grid:
    """Print the resolved runs of the selected studies as CSV."""
    input:
        expand(rules.expand_grid.output.grid, study=PROGRAM.studies),
    log:
        f"{RESULTS}/logs/grid.log",
    conda:
        "../../envs/analysis.yaml"
    shell:
        "cat {input:q} 2> {log:q}"


rule curves:
    """Print the learning curves of the scale's runs, finished ones and those that train right now."""
    log:
        f"{RESULTS}/logs/curves.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        results=RESULTS,
    shell:
        "python -m rlvr.cli watch {params.results:q} --once 2> {log:q}"


rule numbers:
    """Every number of the papers' text."""
    input:
        expand(rules.collect_numbers.output, study=PROGRAM.studies),


rule claims:
    """The papers' claims, judged."""
    input:
        expand(rules.check_claims.output.csv, study=PROGRAM.studies),


rule assumptions:
    """What the studies' files assume, and where they depart from what is printed."""
    input:
        expand(rules.collect_tags.output.csv, study=PROGRAM.studies),


rule paper:
    """The PDF of each selected study, with every table and figure."""
    input:
        expand(rules.compile_paper.output.pdf, study=PROGRAM.studies),
        expand(rules.collect_numbers.output.tex, study=PROGRAM.studies),
        [all_files_of(study) for study in PROGRAM.studies],


rule report:
    """The self-contained HTML page over the selected studies."""
    input:
        rules.write_report.output.html,


localrules:
    grid,
    curves,
    numbers,
    claims,
    assumptions,
    paper,
    report,


if workflow.is_main_process:
    keep_found()  # every rule that carries a digest is above
