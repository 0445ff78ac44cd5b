{{ feed_profile(
    'exchange_rates',
    key=['rate_date', 'currency'],
    required=['rate_date', 'currency', 'rate'],
    event_at=first_instant('rate_date'),
    categories={'currency': watched_currencies()},
    amounts={'rate': 'currency'},
    distincts=['currency'],
) }}
