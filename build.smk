include: "Snakefile"
import os, time, traceback
from types import SimpleNamespace
from pathlib import Path as P
from rlvr.report.files import TableFiles, tabulate_file
from rlvr.report.plotting import FigureFiles, plot_file
from rlvr.report.scope import ReportScope
from rlvr.report.evidence import evidence_paths
from rlvr.report.numbers import collect_numbers_file
from rlvr.report.claim_files import ClaimInputs, check_claims_file
from rlvr.report.claim_table import ClaimScope
from rlvr.report.assumptions import write_tags
from rlvr.report.pdf import PaperFiles, compile_paper
from rlvr.report.page import StudyFiles, write_page
S="structure-over-scale"; W=SimpleNamespace(study=S)
have=lambda files: [f for f in files if os.path.exists(f)]
def existing(files): return evidence_paths({k: have(v) for k,v in files.items()})
base=f"{RESULTS}/paper/{S}"
def do(what,f):
    t=time.time()
    try: f(); print("ok",what,round(time.time()-t,1),file=sys.stderr)
    except Exception as e: print("FAIL",what,repr(e)[:500],file=sys.stderr); 
if os.environ.get("STEPS","all")!="docs":
    for name in TABLES[S]:
        files={k:f"{base}/tables/{name}.{k}" for k in ("csv","md","tex","json")}
        do(name,lambda: tabulate_file(output_of(S,name).declaration(),ReportScope(**scope_of(S,name)),existing(evidence_of(S,name)),TableFiles(**files)))
    for name in FIGURES[S]:
        files={k:f"{base}/figures/{name}.{k}" for k in ("csv","pdf","png")}
        do(name,lambda: plot_file(output_of(S,name).declaration(),"workflow/studies/structure-over-scale/labels.csv","paper/style.mplstyle",ReportScope(**scope_of(S,name)),existing(evidence_of(S,name)),FigureFiles(**files)))
    do("numbers",lambda: collect_numbers_file(ReportScope(**{**SCOPE,"study":S,"runs":sorted(PROGRAM.rows_of(S))}),have(cells_of(S,OUTPUTS[S])),have(study_scores(W)),have(expand(rules.train_run.output.run,run_id=PROGRAM.rows_of(S))),described_runs(W),f"{base}/numbers.json",f"{base}/numbers.tex"))
    ev=claim_evidence(W)
    do("claims",lambda: check_claims_file("workflow/studies/structure-over-scale/claims.yaml",[o.declaration() for o in claimed_of(S)],ClaimInputs(evidence=existing({k:v for k,v in ev.items() if k in EVIDENCE}),curves=have(ev["curves"]),cards=have(ev["data_cards"])),ClaimScope(results=ReportScope(**claim_results(W)),**claim_scope(W)),f"{base}/claims.csv",f"{base}/claims.json"))
do("tags",lambda: write_tags(tagged_remarks(W),f"{base}/assumptions.json",f"{base}/assumptions.csv"))
page=page_of(S)
paper=PaperFiles(numbers=page["numbers"],claims=page["claims"],audit=page["audit"],tags=page["tags"],tables=have(page["tables"]),figures=[f.replace(".png",".pdf") for f in have(page["figures"])])
do("pdf",lambda: compile_paper(str(document_of(W)),paper,page["facts"],page["captions"],f"{base}/paper.pdf"))
do("page",lambda: write_page([StudyFiles.of({**page,"tables":have(page["tables"]),"figures":have(page["figures"])})],PROGRAM.tier,"paper/page",f"{RESULTS}/paper/report.html"))
sys.exit(0)
