{{ feed_profile(
    'invoice_lines',
    key=['invoice_line_id'],
    required=['invoice_line_id', 'invoice_id', 'kind', 'amount_minor', 'tax_minor', 'discount_minor'],
    optional=['plan_id', 'period_start_at', 'period_end_at', 'promotion_code'],
    categories={'kind': ['subscription', 'proration', 'add_on', 'one_off']},
    amounts={'amount_minor': none, 'tax_minor': none, 'discount_minor': none},
    distincts=['plan_id'],
    names=['plan_id'],
) }}
