# What the documents of a study are made from: text, facts, remarks; input functions of 6_paper.smk.


def described_runs(wildcards):
    """Every row of a study's grid, of any tier, as the documents list it."""
    selected = PROGRAM.rows_of(wildcards.study)
    rows = PROGRAM.studies[wildcards.study].rows
    return [describe_run({**row, "run_id": run_id}, run_id in selected) for run_id, row in rows.items()]


def document_of(wildcards):
    """The text of a study: its own `paper.typ`, otherwise the general one."""
    own = PROGRAM.studies[wildcards.study].folder / "paper.typ"
    return own if own.is_file() else ROOT / "paper" / "general.typ"


def captions_of(name):
    """Captions of a study's figures by name; tables carry theirs."""
    return {figure: OUTPUTS[name][figure].full_caption for figure in FIGURES[name]}


def page_of(name):
    """What the HTML page shows of a study: facts, captions and files."""
    return {
        "facts": study_facts(name),
        "captions": captions_of(name),
        "numbers": rules.collect_numbers.output.json.format(study=name),
        "claims": rules.check_claims.output.json.format(study=name),
        "audit": rules.check_printed.output.json.format(study=name),
        "tags": rules.collect_tags.output.json.format(study=name),
        "tables": expand(rules.tabulate_output.output.json, study=name, table=TABLES[name]),
        "figures": expand(rules.plot_output.output.png, study=name, figure=FIGURES[name]),
    }


def shown_files(wildcards):
    """Every file of a selected study that the HTML page shows."""
    single = ("numbers", "claims", "audit", "tags")
    pages = [page_of(name) for name in PROGRAM.studies]
    return [path for page in pages for path in [*(page[key] for key in single), *page["tables"], *page["figures"]]]


def study_facts(name):
    """What a document says about its study and this call: names, citation, scale, tier."""
    study = PROGRAM.studies[name]
    return {
        "name": study.name,
        "title": study.title,
        "citation": study.citation,
        "names": display_names(study.folder / "labels.csv"),
        "comparable": SCALE["comparable"],
        "tier": PROGRAM.tier,
    }


def tagged_files(study):
    """Files whose tagged remarks a study's document lists, by group: what it uses of methods, and all other code."""
    used = {METHODS[row["method"]].__class__.__module__ for row in PROGRAM.studies[study].rows.values()}
    library = sorted((LIBRARY / "rlvr").rglob("*.py"))
    modules = {path: ".".join(path.relative_to(LIBRARY).with_suffix("").parts) for path in library}
    folder = "rlvr.adapters.methods."
    return {
        "recipe": [STUDIES / name / "study.yaml" for name in ancestors(study, STUDIES)],
        "scale": [SCALES / f"{PROGRAM.scale_name}.yaml"],
        "methods": [path for path, module in modules.items() if module in used],
        "library": [path for path, module in modules.items() if not module.startswith(folder)],
    }


def tagged_remarks(wildcards):
    """Every SOURCE, ASSUME and DEVIATION that concerns a study."""
    return list(tag_rows(tagged_files(wildcards.study), ROOT))
