{%- set kinds = ['lifetime', 'cancellation', 'subscriber', 'subscription', 'first_instant'] -%}

with

spells as (

    select * from {{ ref('int_churn__spells') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

-- few rows are left, so that the join on every month that a spell lasts stays small
month_pairs as (

    select
        kind,
        start_month,
        end_month,
        count(*) as spells,
        count(*) filter (where is_joining) as joining_spells,
        count(*) filter (where is_lost) as lost_spells,
        count(*) filter (where is_lost_from_opening) as lost_from_opening,
        count(*) filter (where is_resubscription) as resubscribed_spells
    from spells
    group by kind, start_month, end_month

),

pair_months as (

    select
        months.month_start,
        month_pairs.*,
        month_pairs.start_month < months.month_start as is_of_opening,
        month_pairs.start_month = months.month_start as is_starting,
        coalesce(month_pairs.end_month = months.month_start, false) as is_ending
    from month_pairs
    inner join months
        on
            month_pairs.start_month <= months.month_start
            and {{ open_end('month_pairs.end_month', 'date') }} >= months.month_start

),

counts as (

    select
        kind,
        month_start,
        cast(sum(case when is_of_opening then spells end) as bigint) as opening_spells,
        cast(sum(case when is_starting then spells end) as bigint) as started_spells,
        cast(sum(case when is_starting then joining_spells end) as bigint) as joining_spells,
        cast(sum(case when is_starting then resubscribed_spells end) as bigint)
            as resubscribed_spells,
        cast(sum(case when is_ending then spells end) as bigint) as ended_spells,
        cast(sum(case when is_of_opening and is_ending then spells end) as bigint)
            as ended_from_opening,
        cast(sum(case when is_ending then lost_spells end) as bigint) as lost_spells,
        cast(sum(case when is_ending then lost_from_opening end) as bigint) as lost_from_opening
    from pair_months
    group by kind, month_start

),

kind_months as (

    {%- for kind in kinds %}
    {{ 'union all' if not loop.first }}
    select
        '{{ kind }}' as kind,
        month_start
    from months
    {%- endfor %}

),

filled_counts as (

    select
        kind_months.kind,
        kind_months.month_start,
        coalesce(counts.opening_spells, 0) as opening_spells,
        coalesce(counts.started_spells, 0) as started_spells,
        coalesce(counts.joining_spells, 0) as joining_spells,
        coalesce(counts.resubscribed_spells, 0) as resubscribed_spells,
        coalesce(counts.ended_spells, 0) as ended_spells,
        coalesce(counts.ended_from_opening, 0) as ended_from_opening,
        coalesce(counts.lost_spells, 0) as lost_spells,
        coalesce(counts.lost_from_opening, 0) as lost_from_opening
    from kind_months
    left join counts
        on
            kind_months.kind = counts.kind
            and kind_months.month_start = counts.month_start

)

select * from filled_counts
