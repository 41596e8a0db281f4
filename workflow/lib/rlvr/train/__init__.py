"""Training: resolved settings -> base with adapter -> GRPO -> manifest.

``settings`` and ``methods`` import nothing heavy, because the Snakefile reads them at parse time.
"""
