{{ feed_profile(
    'invoices',
    key=['invoice_id'],
    required=['invoice_id', 'subscriber_id', 'issued_at', 'status', 'currency', 'total_minor', 'tax_minor'],
    optional=['subscription_id'],
    event_at='issued_at',
    categories={
        'status': ['draft', 'open', 'paid', 'void', 'uncollectible'],
        'currency': watched_currencies(),
    },
    amounts={'total_minor': 'currency', 'tax_minor': 'currency'},
) }}
