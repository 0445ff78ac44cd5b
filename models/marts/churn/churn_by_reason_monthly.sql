with

circumstances as (

    select * from {{ ref('int_churn__circumstances') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}
    where ended_at is not null

),

lifetime_ends as (

    select * from {{ ref('int_subscriptions__lifetime_ends') }}

),

months as (

    select * from {{ ref('int_calendar__months') }}

),

leavers as (

    select
        circumstances.month_start,
        lifetime_ends.end_type as churn_type,
        coalesce(lifetime_ends.end_reason, 'unknown') as churn_reason,
        coalesce(lifetime_ends.cancel_feedback, 'unknown') as cancel_feedback,
        circumstances.viewing,
        circumstances.playback,
        circumstances.genre,
        lifetimes.end_mrr_amount as churned_mrr_amount,
        1 as churned_subscribers,
        0 as staying_subscribers
    from circumstances
    inner join lifetimes
        on
            circumstances.subscriber_id = lifetimes.subscriber_id
            and circumstances.lifetime_number = lifetimes.lifetime_number
    inner join lifetime_ends
        on
            circumstances.subscriber_id = lifetime_ends.subscriber_id
            and circumstances.lifetime_number = lifetime_ends.lifetime_number
    where circumstances.has_churned

),

-- counted before they are laid out by circumstance; nobody gives a reason for staying
stayers as (

    select
        month_start,
        cast(null as string) as churn_type,
        cast(null as string) as churn_reason,
        cast(null as string) as cancel_feedback,
        viewing,
        playback,
        genre,
        cast(0 as decimal(18, 4)) as churned_mrr_amount,
        0 as churned_subscribers,
        count(*) as staying_subscribers
    from circumstances
    where not has_churned
    group by month_start, viewing, playback, genre

),

subjects as (

    select * from leavers
    union all
    select * from stayers

),

counts as (

    {%- for circumstance in [
        'churn_type', 'churn_reason', 'cancel_feedback', 'viewing', 'playback', 'genre',
    ] %}
    {{ 'union all' if not loop.first }}
    select
        month_start,
        '{{ circumstance }}' as circumstance,
        {{ circumstance }} as circumstance_value,
        sum(churned_subscribers) as churned_subscribers,
        sum(churned_mrr_amount) as churned_mrr_amount,
        sum(staying_subscribers) as staying_subscribers
    from subjects
    where {{ circumstance }} is not null
    group by month_start, {{ circumstance }}
    {%- endfor %}

),

counts_with_totals as (

    select
        counts.*,
        circumstance in ('viewing', 'playback', 'genre') as has_stayers,
        sum(churned_subscribers) over (partition by month_start, circumstance) as all_churned,
        sum(staying_subscribers) over (partition by month_start, circumstance) as all_staying
    from counts

),

churn_by_reason as (

    select
        counts_with_totals.month_start,
        counts_with_totals.circumstance,
        counts_with_totals.circumstance_value,
        cast(counts_with_totals.churned_subscribers as bigint) as churned_subscribers,
        cast(counts_with_totals.churned_mrr_amount as decimal(18, 4)) as churned_mrr_amount,
        cast(
            case
                when months.is_complete and counts_with_totals.has_stayers
                    then counts_with_totals.staying_subscribers
            end as bigint
        ) as staying_subscribers,
        case
            when months.is_complete
                then
                    cast(counts_with_totals.churned_subscribers as double)
                    / nullif(counts_with_totals.all_churned, 0)
        end as churned_share,
        case
            when months.is_complete and counts_with_totals.has_stayers
                then
                    cast(counts_with_totals.staying_subscribers as double)
                    / nullif(counts_with_totals.all_staying, 0)
        end as staying_share,
        months.is_complete
    from counts_with_totals
    inner join months
        on counts_with_totals.month_start = months.month_start

)

select * from churn_by_reason
