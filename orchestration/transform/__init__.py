"""dbt and the engine below it: what is built, on what ground, and how it came out."""
