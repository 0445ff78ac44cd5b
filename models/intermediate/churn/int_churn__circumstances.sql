with

windows as (

    select * from {{ ref('int_churn__windows') }}

),

window_playbacks as (

    select * from {{ ref('int_churn__window_playbacks') }}

),

window_genres as (

    select * from {{ ref('int_churn__window_genres') }}

),

service_start as (

    select * from {{ ref('int_viewing__service_start') }}

),

bands as (

    select
        {%- for band in ['light', 'regular', 'heavy', 'buffering'] %}
        max(case when band = '{{ band }}' then lower_bound end) as {{ band }}_from,
        {%- endfor %}
        max(case when band = 'failing' then lower_bound end) as failing_from
    from {{ ref('churn_circumstance_bands') }}

),

totals as (

    select
        subscriber_id,
        lifetime_number,
        month_start,
        viewing_days,
        plays,
        cast(failed_plays as double) / nullif(plays, 0) as failed_share,
        rebuffer_ms / nullif(played_ms, 0) as rebuffer_ratio
    from window_playbacks

),

-- before the first play of the service nobody measured: that somebody watched nothing is not known
measured_windows as (

    select
        windows.*,
        coalesce(service_start.first_viewing_date < windows.window_end_date, false) as is_measured
    from windows
    cross join service_start

),

circumstances as (

    select
        windows.subscriber_id,
        windows.month_start,
        windows.lifetime_number,
        windows.has_churned,
        case
            when not windows.is_measured then 'unmeasured'
            when totals.viewing_days >= bands.heavy_from then 'heavy'
            when totals.viewing_days >= bands.regular_from then 'regular'
            when totals.viewing_days >= bands.light_from then 'light'
            else 'none'
        end as viewing,
        case
            when not windows.is_measured then 'unmeasured'
            when coalesce(totals.plays, 0) = 0 then 'none'
            when totals.failed_share >= bands.failing_from then 'failing'
            when totals.rebuffer_ratio is null then 'unmeasured'
            when totals.rebuffer_ratio >= bands.buffering_from then 'buffering'
            else 'smooth'
        end as playback,
        case
            when windows.is_measured then coalesce(window_genres.genre, 'none')
            else 'unmeasured'
        end as genre
    from measured_windows as windows
    cross join bands
    left join totals
        on
            windows.subscriber_id = totals.subscriber_id
            and windows.month_start = totals.month_start
            and windows.lifetime_number = totals.lifetime_number
    left join window_genres
        on
            windows.subscriber_id = window_genres.subscriber_id
            and windows.month_start = window_genres.month_start
            and windows.lifetime_number = window_genres.lifetime_number

)

select * from circumstances
