"""Cross-checks of curated data sets against benchmarks, tokenizer and grader, and the page that shows them."""
