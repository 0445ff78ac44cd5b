"""What people look at: pages and dashboards over a release."""
