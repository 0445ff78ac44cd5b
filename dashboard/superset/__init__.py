"""Apache Superset over a release: datasets, metrics and a dashboard, as files that it imports."""
