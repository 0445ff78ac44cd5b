-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_subscriptions__paid_dates') }}
with

{% if is_increment() %}

changed_spans as (

    {{ changed_spans(
        ref('int_subscriptions__paid_dates'),
        source('basis', 'paid_dates'),
        alike=['subscriber_id', 'plan_tier', 'first_date'],
    ) }}

),

{% endif %}

touched_tier_months as (

    {{ months_touched_by('changed_spans') }}

)

select * from touched_tier_months
