# IN   everything of a study under results/<scale>/, once its paper is made
# OUT  archive/<study>.tar with its list of checksums <study>.csv; `artefacts: {train: fetch, archive: <file>}` takes it back


rule archive_study:
    """Pack specs, runs, samples, grades, scores, spectra, tables and figures of a study, with their checksums."""
    input:
        rules.seal_paper.output.seal,
    output:
        archive=f"{RESULTS}/archive/{{study}}.tar",
        listing=f"{RESULTS}/archive/{{study}}.csv",
    log:
        f"{RESULTS}/logs/archive_study/{{study}}.log",
    conda:
        environment_file(SUBMITTING)
    params:
        results=lambda wildcards: RESULTS,
        names=archived_names,
    script:
        "../scripts/archive_study.py"


rule archive:
    """An archive of each selected study, from which its paper is made without training."""
    input:
        expand(rules.archive_study.output.archive, study=PROGRAM.studies),


localrules:
    archive_study,
    archive,
