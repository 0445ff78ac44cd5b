"""Pages for people: the dashboard of a release, dbt's site, and the runbook."""
