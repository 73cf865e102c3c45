"""Tests the verifier like a safety device: every shipped checker is changed in one place, and must then be rejected.

`mutate` changes the programs, `operators` says how, `reach` where; `case` holds what a bundle is judged on, `judge_all`
judges one mutant; `results` keeps what came out, `report` counts it and `page` writes docs/mutants.md.
"""
