{{ feed_profile(
    'marketing_spend',
    key=['spend_date', 'acquisition_channel', 'country_code'],
    required=['spend_date', 'acquisition_channel', 'country_code', 'amount_minor', 'currency'],
    event_at=first_instant('spend_date'),
    categories={
        'country_code': watched_countries(),
        'currency': watched_currencies(),
    },
    amounts={'amount_minor': 'currency'},
    distincts=['acquisition_channel'],
) }}
