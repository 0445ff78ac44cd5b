"""What a run keeps: its folder and locks, the notes in the build's database, and SQL's words."""
