with

subscriber_months as (

    select * from {{ ref('int_segmentation__subscriber_months') }}

),

status_months as (

    select * from {{ ref('int_subscribers__status_months') }}

),

lifetimes as (

    select * from {{ ref('int_subscriptions__lifetimes') }}

),

month_end_states as (

    select * from {{ ref('int_segmentation__month_end_states') }}

),

running_totals as (

    select * from {{ ref('int_segmentation__running_totals') }}

),

service_start as (

    select * from {{ ref('int_viewing__service_start') }}

),

viewing_windows as (

    select * from {{ ref('int_segmentation__viewing_windows') }}

),

profile_windows as (

    select * from {{ ref('int_segmentation__profile_windows') }}

),

payment_windows as (

    select * from {{ ref('int_segmentation__payment_windows') }}

),

tastes as (

    select * from {{ ref('int_segmentation__tastes') }}

),

nps_windows as (

    select * from {{ ref('int_segmentation__nps_windows') }}

),

subscriber_month_features as (

    select
        subscriber_months.subscriber_id,
        subscriber_months.month_start,
        coalesce(status_months.closing_status, 'never_paid') as closing_status,
        coalesce(status_months.lifetime_number, 0) as lifetime_number,
        -- the number is of a lifetime that is over where the subscriber has churned
        cast({{ days_between(
            local_date('lifetimes.started_at'),
            local_date('least(lifetimes.ended_at, subscriber_months.elapsed_until_at)'),
        ) }} as integer) as tenure_days,
        coalesce(lifetimes.end_month = {{ next_month('subscriber_months.month_start') }}, false)
            as is_lost_next_month,
        coalesce(month_end_states.is_paid_on_time, false) as is_paid_on_time,
        coalesce(month_end_states.is_past_due, false) as is_past_due,
        coalesce(month_end_states.is_trialing, false) as is_trialing,
        coalesce(month_end_states.is_cancel_requested, false) as is_cancel_requested,
        coalesce(viewing_windows.viewing_days_28d, 0) as viewing_days_28d,
        coalesce(viewing_windows.earlier_viewing_days_28d, 0) as earlier_viewing_days_28d,
        cast(
            {{ days_between(
                'running_totals.last_viewing_date', 'subscriber_months.elapsed_until_date'
            ) }} - 1 as integer
        ) as days_since_last_view,
        -- before the first play of the service nobody measured: a subscriber is not dormant for it
        coalesce(service_start.first_viewing_date < subscriber_months.elapsed_until_date, false)
            as is_viewing_measured,
        coalesce(profile_windows.profiles_28d, 0) as profiles_28d,
        coalesce(payment_windows.failed_invoices_90d, 0) as failed_invoices_90d,
        running_totals.collected_amount > 0 as has_paid,
        running_totals.net_revenue_amount as value_amount,
        running_totals.referred_payers,
        nps_windows.nps_score,
        tastes.top_genre,
        tastes.top_genre_share,
        tastes.genre_concentration,
        coalesce(tastes.genre_watched_seconds, 0) as genre_watched_seconds,
        subscriber_months.is_latest,
        subscriber_months.is_complete
    from subscriber_months
    cross join service_start
    inner join running_totals
        on
            subscriber_months.subscriber_id = running_totals.subscriber_id
            and subscriber_months.month_start = running_totals.month_start
    left join status_months
        on
            subscriber_months.subscriber_id = status_months.subscriber_id
            and subscriber_months.month_start = status_months.month_start
    left join lifetimes
        on
            status_months.subscriber_id = lifetimes.subscriber_id
            and status_months.lifetime_number = lifetimes.lifetime_number
    {%- for relation in [
        'month_end_states', 'viewing_windows', 'profile_windows', 'payment_windows', 'tastes',
        'nps_windows',
    ] %}
    left join {{ relation }}
        on
            subscriber_months.subscriber_id = {{ relation }}.subscriber_id
            and subscriber_months.month_start = {{ relation }}.month_start
    {%- endfor %}

)

select * from subscriber_month_features
