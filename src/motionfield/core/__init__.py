"""The words everyone agrees on: conventions, errors, history, progress. Imports nothing of ours."""
