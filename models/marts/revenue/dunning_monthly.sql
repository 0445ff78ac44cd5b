with

months as (

    select * from {{ ref('int_calendar__months') }}

),

failed_invoices as (

    select * from {{ ref('int_revenue__failed_invoices') }}

),

month_groups as (

    select
        month_start,
        is_complete,
        true as was_past_due
    from months
    union all
    select
        month_start,
        is_complete,
        false as was_past_due
    from months

),

counts as (

    select
        month_start,
        was_past_due,
        count(*) as failed_invoices,
        sum(failed_attempts) as failed_attempts,
        count(*) filter (where outcome = 'recovered') as recovered_invoices,
        count(*) filter (where outcome = 'lost') as lost_invoices,
        count(*) filter (where outcome = 'pending') as pending_invoices,
        count(*) filter (where recovery_microseconds <= 604800000000) as recovered_within_7_days,
        count(recovery_microseconds) as dated_recoveries,
        {{ sum_of_microseconds('recovery_microseconds') }} as recovery_microseconds
    from failed_invoices
    group by month_start, was_past_due

),

-- recoveries come early and losses late: a share of what is settled so far would flatter
dunning as (

    select
        month_groups.month_start,
        month_groups.was_past_due,
        coalesce(counts.failed_invoices, 0) as failed_invoices,
        cast(coalesce(counts.failed_attempts, 0) as bigint) as failed_attempts,
        coalesce(counts.recovered_invoices, 0) as recovered_invoices,
        coalesce(counts.lost_invoices, 0) as lost_invoices,
        coalesce(counts.pending_invoices, 0) as pending_invoices,
        coalesce(counts.recovered_within_7_days, 0) as recovered_within_7_days,
        case
            when month_groups.is_complete and counts.pending_invoices = 0
                then cast(counts.recovered_invoices as double) / nullif(counts.failed_invoices, 0)
        end as recovery_rate,
        case
            when month_groups.is_complete and counts.pending_invoices = 0
                then
                    cast(counts.recovery_microseconds as double)
                    / (nullif(counts.dated_recoveries, 0) * cast(86400000000 as double))
        end as average_days_to_recover,
        month_groups.is_complete
    from month_groups
    left join counts
        on
            month_groups.month_start = counts.month_start
            and month_groups.was_past_due = counts.was_past_due

)

select * from dunning
