-- depends_on: {{ ref('int_viewing__touched_months') }}
-- depends_on: {{ ref('int_viewing__replaced_ids') }}
-- depends_on: {{ ref('int_subscriptions__paid_dates') }}
with

months as (

    select * from {{ ref('int_calendar__months') }}

),

{% if is_increment() %}

touched_months as (

    select * from {{ ref('int_viewing__touched_months') }}

),

current_dates as (

    select
        subscriber_id,
        plan_tier,
        first_date,
        end_date
    from {{ ref('int_subscriptions__paid_dates') }}

),

known_dates as (

    select * from {{ source('basis', 'paid_dates') }}

),

changed_dates as (

    (select * from current_dates except select * from known_dates)
    union all
    (select * from known_dates except select * from current_dates)

),

-- what began as it was known to, of the same tier, and ends on another day, is another between the ends
changed_spans as (

    select
        changed_dates.subscriber_id,
        case
            when count(*) = 2 then min({{ open_end('changed_dates.end_date', 'date') }})
            else changed_dates.first_date
        end as first_date,
        max({{ open_end('changed_dates.end_date', 'date') }}) as end_date
    from changed_dates
    left join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on changed_dates.subscriber_id = replaced_ids.subscriber_id
    where replaced_ids.subscriber_id is null
    group by changed_dates.subscriber_id, changed_dates.plan_tier, changed_dates.first_date

),

touched_tier_months as (

    select
        month_start,
        started_at,
        ended_at
    from touched_months
    union distinct
    select
        months.month_start,
        months.started_at,
        months.ended_at
    from months
    inner join changed_spans
        on
            months.month_start < changed_spans.end_date
            and months.next_month_start > changed_spans.first_date

)

{% else %}

-- all are built anew, and nobody asks
touched_tier_months as (

    select
        month_start,
        started_at,
        ended_at
    from months
    where false

)

{% endif %}

select * from touched_tier_months
