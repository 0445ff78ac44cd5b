{{ feed_profile(
    'titles',
    key=['title_id'],
    required=['title_id', 'title_name', 'content_type', 'genre'],
    optional=['series_id', 'runtime_seconds', 'released_on'],
    categories={'content_type': ['movie', 'episode', 'live', 'clip']},
    numbers=['runtime_seconds'],
    distincts=['genre'],
) }}
