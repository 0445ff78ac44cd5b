-- Every subscriber and month in which ours or the spine has a movement, counted by what sets them
-- apart. A difference has the first cause that holds and can be seen in the states or stretches;
-- `unexplained` is what none of them explains. Reads `ours` (the mart of movements), `spine`,
-- `states`, `stretches` and `clock`.

with

our_months as (

    select
        subscriber_id,
        month_start,
        count(*) as movements,
        min(category) as category,
        sum(mrr_change_amount) as change_amount,
        bool_or(category in ('pause', 'resume') or mrr_change_amount = 0) as is_about_a_pause,
        bool_or(category = 'fx') as has_fx
    from ours
    group by subscriber_id, month_start

),

unpaid_months as (

    select
        subscriber_id,
        cast(month_start as date) as month_start
    from (
        select
            subscriber_id,
            unnest(
                generate_series(
                    date_trunc('month', valid_from),
                    coalesce(valid_to, (select as_of from clock)),
                    interval 1 month
                )
            ) as month_start
        from states
        where status = 'unpaid'
    )
    group by subscriber_id, month_start

),

bridged_months as (

    select
        subscriber_id,
        cast(month_start as date) as month_start
    from (
        select
            subscriber_id,
            unnest(
                generate_series(
                    date_trunc('month', stopped_at),
                    coalesce(returned_at, (select as_of from clock)),
                    interval 1 month
                )
            ) as month_start
        from stretches
        where is_bridged
    )
    group by subscriber_id, month_start

),

months as (

    select
        coalesce(our_months.subscriber_id, spine.subscriber_id) as subscriber_id,
        coalesce(our_months.month_start, spine.month_start) as month_start,
        coalesce(our_months.movements, 0) as our_movements,
        our_months.category as our_category,
        spine.category as spine_category,
        coalesce(our_months.change_amount, 0) as our_change,
        coalesce(spine.mrr_change_amount, 0) as spine_change,
        coalesce(our_months.is_about_a_pause, false) as is_about_a_pause,
        coalesce(our_months.has_fx, false) as has_fx
    from our_months
    full join spine
        on
            our_months.subscriber_id = spine.subscriber_id
            and our_months.month_start = spine.month_start

),

-- what ours holds at the month's end more than the spine, and at its start
held as (

    select
        *,
        sum(our_change - spine_change) over (
            partition by subscriber_id order by month_start
        ) as more_at_end
    from months

),

judged as (

    select
        held.*,
        case
            when more_at_end = 0 and our_change = spine_change
                then
                    case
                        when our_movements = 1 and our_category = spine_category then 'same'
                        when is_about_a_pause then 'pause'
                        when has_fx then 'fx'
                        when our_movements > 1 then 'within a month'
                        when our_category = 'reactivation' and spine_category = 'new'
                            then 'never seen before'
                        else 'unexplained'
                    end
            when unpaid_months.subscriber_id is not null then 'unpaid'
            when bridged_months.subscriber_id is not null then 'bridged'
            else 'unexplained'
        end as cause
    from held
    left join unpaid_months
        on
            held.subscriber_id = unpaid_months.subscriber_id
            and held.month_start = unpaid_months.month_start
    left join bridged_months
        on
            held.subscriber_id = bridged_months.subscriber_id
            and held.month_start = bridged_months.month_start

)

select
    cause,
    count(*) as subscriber_months,
    cast(sum(our_movements) as bigint) as our_movements,
    count(spine_category) as spine_movements,
    sum(our_change) as our_change,
    sum(spine_change) as spine_change
from judged
group by cause
order by subscriber_months desc, cause
