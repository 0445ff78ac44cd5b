{{ feed_profile(
    'refunds',
    key=['refund_id'],
    required=['refund_id', 'payment_id', 'kind', 'refunded_at', 'amount_minor', 'tax_minor', 'currency'],
    optional=['reason'],
    event_at='refunded_at',
    categories={
        'kind': ['refund', 'chargeback', 'chargeback_reversal'],
        'currency': watched_currencies(),
    },
    amounts={'amount_minor': 'currency', 'tax_minor': 'currency'},
) }}
