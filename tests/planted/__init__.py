"""Programs planted in tests: right ones, and wrong ones that a verifier must reject."""
