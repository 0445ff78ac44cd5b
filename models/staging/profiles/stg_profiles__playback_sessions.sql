{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook=["{{ know_touched_dates() }}", "{{ forget_touched_dates() }}"],
) }}

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
    exceptions=ref('base_viewing__exceptional_sessions'),
    grows=true,
    numbers=['watched_seconds', 'startup_ms', 'rebuffer_count', 'rebuffer_ms', 'bitrate_kbps'],
) }}
