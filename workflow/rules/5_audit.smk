# IN   every study's statements.csv, places.csv and printed tables; sizes of the real models
# OUT  paper/<study>/audit.{csv,json,md}; audit/audit.{csv,json,md,txt} over all studies: the papers against themselves, no run needed


AUDITED = study_names(STUDIES)  # every study of the repository, whichever the configuration selects
STUDY_TITLES = {study: load_yaml(STUDIES / study / "study.yaml")["title"] for study in AUDITED}


rule check_printed:
    """A paper's statements, re-derived from what it prints."""
    input:
        statements_of,
        printed_tables,
        MODEL_CONFIGS,
    output:
        json=f"{RESULTS}/paper/{{study}}/audit.json",
        md=f"{RESULTS}/paper/{{study}}/audit.md",
        csv=report(
            f"{RESULTS}/paper/{{study}}/audit.csv",
            caption="../report/audit.rst",
            category="{study}",
            subcategory="Claims",
            labels={"output": "audit", "format": "csv"},
        ),
    log:
        f"{RESULTS}/logs/check_printed/{{study}}.log",
    wildcard_constraints:
        study=one_of(AUDITED),
    conda:
        "../../envs/analysis.yaml"
    params:
        folder=lambda wildcards: str(STUDIES / wildcards.study),
        configurations=lambda wildcards: str(ROOT / "data" / "configs"),
        titles=lambda wildcards: {wildcards.study: STUDY_TITLES[wildcards.study]},
        code=adapter_code("check_printed"),
    script:
        "../scripts/check_printed.py"


rule collect_audits:
    """The audits of all papers in one table."""
    input:
        audits=expand(rules.check_printed.output.json, study=AUDITED),
    output:
        json=f"{RESULTS}/audit/audit.json",
        csv=f"{RESULTS}/audit/audit.csv",
        md=f"{RESULTS}/audit/audit.md",
        summary=f"{RESULTS}/audit/audit.txt",
    log:
        f"{RESULTS}/logs/collect_audits.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        titles=STUDY_TITLES,
        code=adapter_code("collect_audits"),
    script:
        "../scripts/collect_audits.py"


rule audit:
    """Print which statements of the papers do not follow from what they print; every statement as CSV, JSON, Markdown."""
    input:
        expand(rules.check_printed.output.csv, study=AUDITED),
        summary=rules.collect_audits.output.summary,
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        "../../envs/analysis.yaml"
    shell:
        "cat {input.summary:q} 2> {log:q}"


localrules:
    check_printed,
    collect_audits,
    audit,
