-- of `email` and `birth_year` only the nulls are counted: a day's minimum can be one person's year
{{ feed_profile(
    'subscribers',
    key=['subscriber_id'],
    required=['subscriber_id', 'signed_up_at', 'is_marketing_opt_in'],
    optional=['email', 'country_code', 'birth_year', 'acquisition_channel', 'referred_by_subscriber_id'],
    event_at='signed_up_at',
    categories={
        'country_code': watched_countries(),
        'is_marketing_opt_in': ['true', 'false'],
    },
    distincts=['acquisition_channel'],
) }}
