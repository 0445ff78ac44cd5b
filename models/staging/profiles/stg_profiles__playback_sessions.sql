{{ feed_profile(
    'playback_sessions',
    key=['session_id'],
    required=[
        'session_id',
        'subscriber_id',
        'device_type',
        'started_at',
        'ended_at',
        'watched_seconds',
        'end_cause',
        'is_autoplay',
    ],
    optional=['profile_id', 'title_id', 'startup_ms', 'rebuffer_count', 'rebuffer_ms', 'bitrate_kbps'],
    event_at='ended_at',
    categories={
        'device_type': device_types(),
        'end_cause': end_causes(),
        'is_autoplay': ['true', 'false'],
    },
    repeated=ref('base_viewing__repeated_session_keys'),
    numbers=['watched_seconds', 'startup_ms', 'rebuffer_count', 'rebuffer_ms', 'bitrate_kbps'],
) }}
