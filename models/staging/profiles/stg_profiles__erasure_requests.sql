{{ feed_profile(
    'erasure_requests',
    key=['subscriber_id'],
    required=['subscriber_id', 'requested_at'],
    event_at='requested_at',
) }}
