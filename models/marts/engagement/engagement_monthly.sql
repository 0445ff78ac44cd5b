with

months as (

    select * from {{ ref('int_calendar__months') }}

),

engagement_months as (

    select * from {{ ref('int_viewing__engagement_months') }}

),

recency_months as (

    select * from {{ ref('int_viewing__recency_months') }}

),

first_play_months as (

    select * from {{ ref('int_viewing__first_play_months') }}

),

service_start as (

    select * from {{ ref('int_viewing__service_start') }}

),

stratum_starts as (

    select
        stratum,
        stratum_value,
        min(month_start) as first_month
    from engagement_months
    group by stratum, stratum_value

),

-- a stratum that had somebody once has a row in every later month
stratum_months as (

    select
        months.month_start,
        stratum_starts.stratum,
        stratum_starts.stratum_value,
        months.elapsed_days,
        {{ microseconds_between('months.started_at', 'months.elapsed_until_at') }}
            as elapsed_microseconds,
        -- before the first play of the service nobody measured: unknown, not 0
        {{ month_start('service_start.first_viewing_date') }} <= months.month_start as is_measured,
        months.is_complete
    from stratum_starts
    inner join months
        on stratum_starts.first_month <= months.month_start
    cross join service_start

),

engagement as (

    select
        stratum_months.month_start,
        stratum_months.stratum,
        stratum_months.stratum_value,
        stratum_months.elapsed_days,
        {%- for measure in [
            'active_subscriber_days', 'active_subscribers', 'paid_watched_seconds',
        ] %}
        case
            when stratum_months.is_measured then coalesce(engagement_months.{{ measure }}, 0)
        end as {{ measure }},
        {%- endfor %}
        cast(coalesce(engagement_months.paying_microseconds, 0) as double)
        / stratum_months.elapsed_microseconds as average_paying_subscribers,
        coalesce(recency_months.paying_subscribers, 0) as closing_paying_subscribers,
        case when stratum_months.is_measured then coalesce(recency_months.seen_subscribers, 0) end
            as closing_seen_subscribers,
        recency_months.mean_days_since_last_view,
        recency_months.median_days_since_last_view,
        case when stratum_months.is_measured then coalesce(first_play_months.first_plays, 0) end
            as first_plays,
        first_play_months.median_hours_to_first_play,
        stratum_months.is_complete
    from stratum_months
    left join engagement_months
        on
            stratum_months.month_start = engagement_months.month_start
            and stratum_months.stratum = engagement_months.stratum
            and stratum_months.stratum_value = engagement_months.stratum_value
    left join recency_months
        on
            stratum_months.month_start = recency_months.month_start
            and stratum_months.stratum = recency_months.stratum
            and stratum_months.stratum_value = recency_months.stratum_value
    left join first_play_months
        on
            stratum_months.month_start = first_play_months.month_start
            and stratum_months.stratum = first_play_months.stratum
            and stratum_months.stratum_value = first_play_months.stratum_value

),

-- of an open month no rate is shown that would look final
engagement_with_rates as (

    select
        month_start,
        stratum,
        stratum_value,
        elapsed_days,
        active_subscriber_days,
        active_subscribers as monthly_active_subscribers,
        cast(active_subscriber_days as double) / elapsed_days as mean_daily_active_subscribers,
        case
            when is_complete
                then
                    cast(active_subscriber_days as double) / elapsed_days
                    / nullif(active_subscribers, 0)
        end as stickiness_rate,
        paid_watched_seconds,
        average_paying_subscribers,
        case
            when is_complete
                then
                    cast(paid_watched_seconds as double) / 3600
                    / nullif(average_paying_subscribers, 0)
        end as watched_hours_per_paying_subscriber,
        closing_paying_subscribers,
        closing_seen_subscribers,
        mean_days_since_last_view,
        median_days_since_last_view,
        first_plays,
        median_hours_to_first_play,
        is_complete
    from engagement

)

select * from engagement_with_rates
