-- of `comment` only the nulls are counted: it is what a person wrote
{{ feed_profile(
    'survey_responses',
    key=['response_id'],
    required=['response_id', 'subscriber_id', 'responded_at', 'kind', 'score'],
    optional=['comment'],
    event_at='responded_at',
    categories={'kind': ['nps', 'csat']},
    numbers=['score'],
) }}
