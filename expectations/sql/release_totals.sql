-- one row per figure that two marts give independently of each other: by how much they differ
with

lifetimes as (

    select
        count(*) as lifetimes,
        count(*) filter (where lifetime_number = 1) as first_lifetimes,
        count(*) filter (where ended_at is not null) as ended_lifetimes
    from marts.fct_subscriber_lifetimes

),

churn as (

    select
        coalesce(sum(new_subscribers), 0) as new_subscribers,
        coalesce(sum(reactivated_subscribers), 0) as reactivated_subscribers,
        coalesce(sum(churned_subscribers), 0) as churned_subscribers,
        coalesce(
            sum(closing_subscribers) filter (
                where month_start = (select max(month_start) from marts.churn_monthly)
            ),
            0
        ) as closing_subscribers
    from marts.churn_monthly

),

bridge as (

    select
        coalesce(
            sum(closing_mrr_amount) filter (
                where month_start = (select max(month_start) from marts.mrr_bridge_monthly)
            ),
            0
        ) as closing_mrr_amount
    from marts.mrr_bridge_monthly

),

movements as (

    select coalesce(sum(mrr_change_amount), 0) as mrr_change_amount from marts.fct_mrr_movements

),

churn_events as (

    select count(*) as churn_events from marts.fct_churn_events

),

cohorts as (

    select coalesce(sum(cohort_size), 0) as cohort_subscribers
    from marts.retention_cohorts
    where months_since_start = 0

),

curves as (

    select coalesce(sum(churned + censored), 0) as curve_lifetimes
    from marts.survival_curves
    where stratum = 'overall'

),

differences as (

    select
        'new subscribers of churn_monthly less first lifetimes' as identity,
        cast(churn.new_subscribers - lifetimes.first_lifetimes as double) as difference
    from churn cross join lifetimes
    union all
    select
        'reactivated subscribers of churn_monthly less later lifetimes' as identity,
        cast(
            churn.reactivated_subscribers - (lifetimes.lifetimes - lifetimes.first_lifetimes)
            as double
        ) as difference
    from churn cross join lifetimes
    union all
    select
        'churned subscribers of churn_monthly less ended lifetimes' as identity,
        cast(churn.churned_subscribers - lifetimes.ended_lifetimes as double) as difference
    from churn cross join lifetimes
    union all
    select
        'churn events less ended lifetimes' as identity,
        cast(churn_events.churn_events - lifetimes.ended_lifetimes as double) as difference
    from churn_events cross join lifetimes
    union all
    select
        'closing subscribers of churn_monthly less lifetimes that go on' as identity,
        cast(
            churn.closing_subscribers - (lifetimes.lifetimes - lifetimes.ended_lifetimes) as double
        ) as difference
    from churn cross join lifetimes
    union all
    select
        'closing MRR of mrr_bridge_monthly less all movements' as identity,
        cast(bridge.closing_mrr_amount - movements.mrr_change_amount as double) as difference
    from bridge cross join movements
    union all
    select
        'subscribers of retention_cohorts less first lifetimes' as identity,
        cast(cohorts.cohort_subscribers - lifetimes.first_lifetimes as double) as difference
    from cohorts cross join lifetimes
    union all
    select
        'lifetimes of survival_curves less first lifetimes' as identity,
        cast(curves.curve_lifetimes - lifetimes.first_lifetimes as double) as difference
    from curves cross join lifetimes

)

select * from differences
