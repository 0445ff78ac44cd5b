{#
    What the risk to leave is judged by: columns of int_risk__features, numbers and texts. The order
    is that in which they are shown, and nothing else.
#}
{% macro risk_features() -%}
    {{ return({
        'numbers': [
            'log_tenure_months', 'is_first_month', 'earlier_lifetimes', 'is_paid_beyond_horizon',
            'is_long_renewal_due', 'is_cancel_requested', 'is_past_due', 'failed_invoices',
            'log_mrr', 'is_discounted', 'viewing_days', 'viewing_days_change', 'has_not_watched',
            'log_watched_hours', 'failed_play_share', 'stalled_share', 'tickets', 'complaints',
        ],
        'texts': ['plan_tier', 'billing_period', 'acquisition_channel', 'payment_method'],
    }) }}
{%- endmacro %}
