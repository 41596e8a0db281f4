# IN   scores, manifests, metrics and spectra; each study's folder: outputs, claims, printed numbers, labels, text
# OUT  paper/<study>/: tables/*.{tex,csv,md,json}, figures/*.{pdf,png,csv}, numbers, claims, audit, assumptions, grid.csv, paper.pdf; over all studies paper/report.html


PAPER = f"{RESULTS}/paper/{{study}}"


rule tabulate_output:
    """One table of the paper, each printed number beside the reproduced one."""
    input:
        unpack(table_evidence),
    output:
        json=f"{PAPER}/tables/{{table}}.json",
        tex=f"{PAPER}/tables/{{table}}.tex",
        md=f"{PAPER}/tables/{{table}}.md",
        csv=report(
            f"{PAPER}/tables/{{table}}.csv",
            caption="../report/output.rst",
            category="{study}",
            subcategory="Tables",
            labels={"output": "{table}", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/tabulate_output/{{study}}_{{table}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        output=lambda wildcards: output_of(wildcards.study, wildcards.table).declaration(),
        scope=lambda wildcards: scope_of(wildcards.study, wildcards.table),
        caption=lambda wildcards: output_of(wildcards.study, wildcards.table).full_caption,
        code=adapter_code("tabulate_output"),
    script:
        "../scripts/tabulate_output.py"


rule plot_output:
    """One figure of the paper."""
    input:
        unpack(figure_evidence),
        labels=study_file("labels.csv", optional=True),
        style=ROOT / "paper" / "style.mplstyle",
    output:
        csv=f"{PAPER}/figures/{{figure}}.csv",
        pdf=f"{PAPER}/figures/{{figure}}.pdf",
        png=report(
            f"{PAPER}/figures/{{figure}}.png",
            caption="../report/output.rst",
            category="{study}",
            subcategory="Figures",
            labels={"output": "{figure}", "format": "png"},
        ),
    log:
        f"{RESULTS}/logs/plot_output/{{study}}_{{figure}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        output=lambda wildcards: output_of(wildcards.study, wildcards.figure).declaration(),
        scope=lambda wildcards: scope_of(wildcards.study, wildcards.figure),
        caption=lambda wildcards: output_of(wildcards.study, wildcards.figure).full_caption,
        code=adapter_code("plot_output"),
    script:
        "../scripts/plot_output.py"


rule collect_numbers:
    """Every number that the paper's text may show, as JSON and as LaTeX macros."""
    input:
        cells=lambda wildcards: cells_of(wildcards.study, OUTPUTS[wildcards.study]),
        scores=study_scores,
        manifests=lambda wildcards: expand(rules.train_run.output.run, run_id=PROGRAM.rows_of(wildcards.study)),
    output:
        json=f"{PAPER}/numbers.json",
        tex=f"{PAPER}/numbers.tex",
    log:
        f"{RESULTS}/logs/collect_numbers/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        scope=lambda wildcards: {**SCOPE, "study": wildcards.study, "runs": sorted(PROGRAM.rows_of(wildcards.study))},
        runs=described_runs,
        code=adapter_code("collect_numbers"),
    script:
        "../scripts/collect_numbers.py"


rule check_claims:
    """The paper's claims as predicates: holds, fails, undecided, one seed only, not run."""
    input:
        unpack(claim_evidence),
        claims=study_file("claims.yaml"),
    output:
        json=f"{PAPER}/claims.json",
        csv=report(
            f"{PAPER}/claims.csv",
            caption="../report/claims.rst",
            category="{study}",
            subcategory="Claims",
            labels={"output": "claims", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/check_claims/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        outputs=lambda wildcards: [output.declaration() for output in claimed_of(wildcards.study)],
        results=claim_results,
        scope=claim_scope,
        code=adapter_code("check_claims"),
    script:
        "../scripts/check_claims.py"


rule collect_tags:
    """What a study's files assume, and where they depart from what is printed, with file and line."""
    output:
        json=f"{PAPER}/assumptions.json",
        csv=f"{PAPER}/assumptions.csv",
    log:
        f"{RESULTS}/logs/collect_tags/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        tags=tagged_remarks,
        code=adapter_code("collect_tags"),
    script:
        "../scripts/collect_tags.py"


rule check_results:
    """Invariants of our own results; one that is broken stops the PDF with its name, file and row."""
    input:
        unpack(result_files),
    output:
        checked=f"{PAPER}/invariants.json",
    log:
        f"{RESULTS}/logs/check_results/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        protocol=result_protocol,
        code=adapter_code("check_results"),
    script:
        "../scripts/check_results.py"


rule compile_paper:
    """The PDF; everything in it that is a number comes from the results."""
    input:
        main=document_of,
        parts=sorted((ROOT / "paper").glob("*.typ")),
        references=ROOT / "paper" / "refs.bib",
        numbers=rules.collect_numbers.output.json,
        claims=rules.check_claims.output.json,
        invariants=rules.check_results.output.checked,
        audit=rules.check_printed.output.json,
        tags=rules.collect_tags.output.json,
        tables=lambda wildcards: expand(
            rules.tabulate_output.output.json, study=wildcards.study, table=TABLES[wildcards.study]
        ),
        figures=lambda wildcards: expand(
            rules.plot_output.output.pdf, study=wildcards.study, figure=FIGURES[wildcards.study]
        ),
    output:
        pdf=f"{PAPER}/paper.pdf",
    log:
        f"{RESULTS}/logs/compile_paper/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        study=lambda wildcards: study_facts(wildcards.study),
        captions=lambda wildcards: captions_of(wildcards.study),
        code=adapter_code("compile_paper"),
    script:
        "../scripts/compile_paper.py"


rule write_report:
    """One self-contained HTML page over the selected studies: verdicts, tables, figures, data, with filters."""
    input:
        page=sorted((ROOT / "paper" / "page").iterdir()),
        shown=shown_files,
    output:
        html=f"{RESULTS}/paper/report.html",
    log:
        f"{RESULTS}/logs/write_report.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        studies=lambda wildcards: [page_of(study) for study in PROGRAM.studies],
        tier=PROGRAM.tier,
        templates=ROOT / "paper" / "page",
        code=adapter_code("write_report"),
    script:
        "../scripts/write_report.py"


rule expand_grid:
    """The runs of a study, resolved: its grid with products expanded, printed and trained settings side by side."""
    output:
        grid=f"{PAPER}/grid.csv",
    log:
        f"{RESULTS}/logs/expand_grid/{{study}}.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        runs=lambda wildcards: [PROGRAM.specs[run_id] for run_id in PROGRAM.rows_of(wildcards.study)],
        code=adapter_code("expand_grid"),
    script:
        "../scripts/expand_grid.py"


localrules:
    tabulate_output,
    plot_output,
    collect_numbers,
    collect_tags,
    check_claims,
    check_results,
    compile_paper,
    write_report,
    expand_grid,
