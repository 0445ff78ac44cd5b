{{ feed_profile(
    'support_tickets',
    key=['ticket_id'],
    required=['ticket_id', 'subscriber_id', 'opened_at', 'topic'],
    optional=['resolved_at', 'csat_score'],
    event_at='opened_at',
    categories={'topic': ['billing', 'playback', 'account', 'content', 'other']},
    numbers=['csat_score'],
) }}
