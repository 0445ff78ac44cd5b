with

movements_monthly as (

    select * from {{ ref('int_subscriptions__movements_monthly') }}

),

bridge as (

    select
        month_start,
        plan_tier,
        country_code,
        acquisition_channel,
        cast(closing_mrr_amount - mrr_change_amount as decimal(18, 4)) as opening_mrr_amount,
        {%- for category in [
            'new', 'reactivation', 'expansion', 'resume', 'contraction', 'churn', 'pause', 'fx',
            'transfer_in', 'transfer_out', 'closing',
        ] %}
        {{ category }}_mrr_amount,
        {%- endfor %}
        is_complete
    from movements_monthly

)

select * from bridge
