"""Tables, figures, numbers, claims and the audit, made from finished files. Imports no torch."""
