"""Training before hands-on visits: a checklist that visitors go through and a mentor signs off."""
