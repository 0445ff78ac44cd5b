{# Raw table → the model that gives each of its rows a verdict, for what counts rows of them all. #}
{% macro raw_table_models() %}
    {{ return({
        'subscribers': 'base_subscribers__subscribers',
        'erasure_requests': 'base_subscribers__erasure_requests',
        'plans': 'base_billing__plans',
        'subscription_changes': 'base_billing__subscription_changes',
        'invoices': 'base_billing__invoices',
        'invoice_lines': 'base_billing__invoice_lines',
        'payments': 'base_billing__payments',
        'refunds': 'base_billing__refunds',
        'exchange_rates': 'base_billing__exchange_rates',
        'playback_sessions': 'base_viewing__exceptional_sessions',
        'titles': 'base_viewing__titles',
        'support_tickets': 'base_touchpoints__support_tickets',
        'survey_responses': 'base_touchpoints__survey_responses',
        'campaign_touches': 'base_touchpoints__campaign_touches',
        'marketing_spend': 'base_touchpoints__marketing_spend',
    }) }}
{% endmacro %}
