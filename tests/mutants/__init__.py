"""Which changes to the SQL of a model no unit test of it notices."""
