# IN   scores, manifests, metrics and spectra; the printed numbers of the study
# OUT  paper/tables/*.{tex,csv,md,json}, paper/figures/*.{pdf,png,csv}, numbers, claims, audit, paper.pdf, report.html


rule tabulate_output:
    """One table of the paper, each printed number beside the reproduced one."""
    input:
        unpack(table_evidence),
    output:
        json=f"{RESULTS}/paper/tables/{{table}}.json",
        tex=f"{RESULTS}/paper/tables/{{table}}.tex",
        md=f"{RESULTS}/paper/tables/{{table}}.md",
        csv=report(
            f"{RESULTS}/paper/tables/{{table}}.csv",
            caption="../report/output.rst",
            category="Tables",
            labels={"output": "{table}", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/tabulate_output/{{table}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        output=lambda wildcards: OUTPUTS[wildcards.table].declaration(),
        scope=lambda wildcards: scope_of(wildcards.table),
        caption=lambda wildcards: OUTPUTS[wildcards.table].full_caption,
        code=adapter_code("tabulate_output"),
    script:
        "../scripts/tabulate_output.py"


rule plot_output:
    """One figure of the paper."""
    input:
        unpack(figure_evidence),
        unpack(looks_of_series),
        style=ROOT / "paper" / "style.mplstyle",
    output:
        csv=f"{RESULTS}/paper/figures/{{figure}}.csv",
        pdf=f"{RESULTS}/paper/figures/{{figure}}.pdf",
        png=report(
            f"{RESULTS}/paper/figures/{{figure}}.png",
            caption="../report/output.rst",
            category="Figures",
            labels={"output": "{figure}", "format": "png"},
        ),
    log:
        f"{RESULTS}/logs/plot_output/{{figure}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        output=lambda wildcards: OUTPUTS[wildcards.figure].declaration(),
        scope=lambda wildcards: scope_of(wildcards.figure),
        caption=lambda wildcards: OUTPUTS[wildcards.figure].full_caption,
        code=lambda wildcards: figure_code(wildcards.figure),
    script:
        "../scripts/plot_output.py"


rule collect_numbers:
    """Every number that the paper's text may show, as JSON and as LaTeX macros."""
    input:
        cells=cells_of(OUTPUTS),
        scores=[scores_of(run_id) for run_id in [*STUDY.rows, *STUDY.trained_bases]],
        manifests=expand(rules.train_run.output.run, run_id=STUDY.rows),
    output:
        json=f"{RESULTS}/paper/numbers.json",
        tex=f"{RESULTS}/paper/numbers.tex",
    log:
        f"{RESULTS}/logs/collect_numbers.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        scope={**SCOPE, "runs": sorted(STUDY.rows)},
        code=adapter_code("collect_numbers"),
    script:
        "../scripts/collect_numbers.py"


rule check_claims:
    """The paper's claims as predicates: holds, fails, undecided, not run."""
    input:
        cells=cells_of(required_outputs(CLAIMS)),
        claims=STUDY_DIR / "claims.yaml",
    output:
        json=f"{RESULTS}/paper/claims.json",
        csv=report(
            f"{RESULTS}/paper/claims.csv",
            caption="../report/claims.rst",
            category="Claims",
            labels={"output": "claims", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/check_claims.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        code=adapter_code("check_claims"),
    script:
        "../scripts/check_claims.py"


rule check_printed:
    """Printed means, deviations and differences, re-derived from the numbers printed beside them."""
    output:
        json=f"{RESULTS}/paper/audit.json",
        csv=report(
            f"{RESULTS}/paper/audit.csv",
            caption="../report/audit.rst",
            category="Claims",
            labels={"output": "audit", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/check_printed.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        outputs=[output.declaration() for output in OUTPUTS.values() if output.reported],
        code=adapter_code("check_printed"),
    script:
        "../scripts/check_printed.py"


rule compile_paper:
    """The PDF; everything in it that is a number comes from the results."""
    input:
        main=ROOT / "paper" / "main.typ",
        style=ROOT / "paper" / "style.typ",
        references=ROOT / "paper" / "refs.bib",
        numbers=rules.collect_numbers.output.json,
        claims=rules.check_claims.output.json,
        audit=rules.check_printed.output.json,
        tables=expand(rules.tabulate_output.output.json, table=TABLES),
        figures=expand(rules.plot_output.output.pdf, figure=FIGURES),
    output:
        pdf=f"{RESULTS}/paper/paper.pdf",
    log:
        f"{RESULTS}/logs/compile_paper.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        scale=config["scale"],
        captions={name: OUTPUTS[name].full_caption for name in FIGURES},
        code=adapter_code("compile_paper"),
    script:
        "../scripts/compile_paper.py"


rule write_config:
    """The configuration of this call, as the report's own call of snakemake needs it."""
    output:
        config=f"{RESULTS}/config.json",
    log:
        f"{RESULTS}/logs/write_config.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        config=config,
    script:
        "../scripts/write_config.py"


rule write_report:
    """A self-contained HTML report with every table and figure, how they were made and how long it took."""
    input:
        config=rules.write_config.output.config,
        pdf=rules.compile_paper.output.pdf,
        tables=expand(rules.tabulate_output.output.csv, table=TABLES),
        figures=expand(rules.plot_output.output.png, figure=FIGURES),
        claims=rules.check_claims.output.csv,
        audit=rules.check_printed.output.csv,
    output:
        html=f"{RESULTS}/paper/report.html",
    log:
        f"{RESULTS}/logs/write_report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        snakefile=ROOT / "Snakefile",
    shell:
        "snakemake --snakefile {params.snakefile:q} --configfile {input.config:q} --nolock --cores 1"
        " --report {output.html:q} {input.tables:q} {input.figures:q} {input.claims:q} {input.audit:q} &> {log:q}"


for _output in OUTPUTS:

    rule:
        name:
            _output
        input:
            output_files(_output),
        localrule: True


rule numbers:
    """Every number of the paper's text."""
    input:
        rules.collect_numbers.output,


rule claims:
    """The paper's claims, judged."""
    input:
        rules.check_claims.output.csv,


rule audit:
    """The paper's printed numbers, re-derived from each other."""
    input:
        rules.check_printed.output.csv,


rule paper:
    """The PDF with every table and figure."""
    input:
        rules.compile_paper.output.pdf,
        rules.collect_numbers.output.tex,
        expand(rules.tabulate_output.output, table=TABLES),
        expand(rules.plot_output.output, figure=FIGURES),


rule report:
    """The self-contained HTML report."""
    input:
        rules.write_report.output.html,


localrules:
    write_config,
    write_report,
    numbers,
    claims,
    audit,
    paper,
    report,
