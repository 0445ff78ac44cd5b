{{ feed_profile(
    'payments',
    key=['payment_id'],
    required=[
        'payment_id',
        'invoice_id',
        'attempted_at',
        'status',
        'amount_minor',
        'currency',
        'method',
        'fee_minor',
    ],
    optional=['failure_code'],
    event_at='attempted_at',
    categories={
        'status': ['succeeded', 'failed'],
        'method': ['card', 'direct_debit', 'wallet', 'app_store', 'carrier', 'voucher'],
        'currency': watched_currencies(),
    },
    amounts={'amount_minor': 'currency', 'fee_minor': 'currency'},
) }}
