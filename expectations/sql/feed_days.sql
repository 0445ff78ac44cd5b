-- one row per raw table and judged day: the three last complete UTC days, and the one that is not over
with

bounds as (

    select
        cast(cast($as_of as timestamp) - interval 1 microsecond as date) as today,
        cast(cast($as_of as timestamp) as date) - 1 as last_complete_day

),

arrivals as (

    select
        table_name,
        profile_date,
        max(value) filter (where metric = 'rows') as row_count,
        coalesce(max(value) filter (where metric = 'distinct_keys'), 0) as distinct_keys,
        coalesce(max(value) filter (where metric = 'incomplete_rows'), 0) as incomplete_rows,
        coalesce(max(value) filter (where metric = 'early_rows'), 0) as early_rows,
        max(value) filter (where metric = 'event_hours') as event_hours,
        max(value) filter (where metric = 'median_delay') / 3600 as delay_hours
    from quality.feed_profile
    where
        column_name = 'all'
        and profile_date <= (select today from bounds)
    group by table_name, profile_date

),

extents as (

    select
        table_name,
        min(profile_date) as first_date,
        max(profile_date) as last_date
    from arrivals
    group by table_name

),

-- eighteen weeks of days, those included on which nothing came
spine as (

    select
        extents.table_name,
        cast(unnest(generate_series(
            greatest(extents.first_date, bounds.today - 125), bounds.today, interval 1 day
        )) as date) as profile_date
    from extents
    cross join bounds

),

deliveries as (

    select
        spine.table_name,
        spine.profile_date,
        coalesce(arrivals.row_count, 0) as row_count,
        coalesce(arrivals.distinct_keys, 0) as distinct_keys,
        coalesce(arrivals.incomplete_rows, 0) as incomplete_rows,
        coalesce(arrivals.early_rows, 0) as early_rows,
        arrivals.event_hours,
        arrivals.delay_hours
    from spine
    left join arrivals
        on
            spine.table_name = arrivals.table_name
            and spine.profile_date = arrivals.profile_date

),

judged_days as (

    select deliveries.*
    from deliveries
    where profile_date >= (select last_complete_day - 2 from bounds)

),

-- a median, so that neither a first load nor an earlier fault moves it
usual_rows as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        median(deliveries.row_count) as usual_rows
    from judged_days
    inner join deliveries
        on
            judged_days.table_name = deliveries.table_name
            and judged_days.profile_date > deliveries.profile_date
            and judged_days.profile_date - 56 <= deliveries.profile_date
            and (judged_days.profile_date - deliveries.profile_date) % 7 = 0
    group by judged_days.table_name, judged_days.profile_date
    having count(*) >= 4

),

-- how far, in logarithms, each day was from the usual; half a row keeps a day without any in reach
distances as (

    select
        spine_days.table_name,
        spine_days.profile_date,
        spine_days.row_count,
        median(weekdays.row_count) as usual_rows,
        ln((spine_days.row_count + 0.5) / (median(weekdays.row_count) + 0.5)) as distance
    from deliveries as spine_days
    inner join deliveries as weekdays
        on
            spine_days.table_name = weekdays.table_name
            and spine_days.profile_date > weekdays.profile_date
            and spine_days.profile_date - 56 <= weekdays.profile_date
            and (spine_days.profile_date - weekdays.profile_date) % 7 = 0
    group by spine_days.table_name, spine_days.profile_date, spine_days.row_count
    having count(*) >= 4

),

-- what is usual: the distance that 93 % of days keep is 1.81 standard deviations of a normal one, and
-- three faulty days in eight weeks do not move it; never less than chance, which is Poisson's, of the
-- day and of the median of eight
spreads as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        greatest(
            coalesce(quantile_disc(abs(history.distance), 0.93) / 1.81, 0),
            sqrt((1 + pi() / 16) / greatest(any_value(usual_rows.usual_rows), 1))
        ) as spread
    from judged_days
    inner join usual_rows
        on
            judged_days.table_name = usual_rows.table_name
            and judged_days.profile_date = usual_rows.profile_date
    left join distances as history
        on
            judged_days.table_name = history.table_name
            and judged_days.profile_date > history.profile_date
            and judged_days.profile_date - 56 <= history.profile_date
    group by judged_days.table_name, judged_days.profile_date

),

last_28_days as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        sum(deliveries.row_count) as row_count,
        sum(deliveries.distinct_keys) as distinct_keys,
        median(deliveries.event_hours) as event_hours,
        median(deliveries.delay_hours) as delay_hours,
        stddev_samp(deliveries.delay_hours) as delay_spread
    from judged_days
    inner join deliveries
        on
            judged_days.table_name = deliveries.table_name
            and judged_days.profile_date > deliveries.profile_date
            and judged_days.profile_date - 28 <= deliveries.profile_date
    group by judged_days.table_name, judged_days.profile_date

),

-- tables that got rows nearly every day until they fell silent, and not just a few
daily_feeds as (

    select
        extents.table_name,
        extents.last_date
    from extents
    inner join arrivals
        on
            extents.table_name = arrivals.table_name
            and extents.last_date - 28 < arrivals.profile_date
    group by extents.table_name, extents.last_date
    having count(*) >= 25 and median(arrivals.row_count) >= 20

),

-- what came on a day as lines, over what came as invoices; minor units of all currencies in one sum,
-- since equal sums stay equal, and only where every invoice's currency is one that has its own sum
billed_days as (

    select
        profile_date,
        sum(value) filter (
            where table_name = 'invoice_lines' and column_name in ('amount_minor', 'tax_minor')
        ) as lines_minor,
        sum(value) filter (
            where table_name = 'invoices' and column_name = 'total_minor'
        ) as invoices_minor
    from quality.feed_profile
    where metric = 'sum' and table_name in ('invoices', 'invoice_lines')
    group by profile_date

),

unlisted_currencies as (

    select profile_date
    from quality.feed_profile
    where
        table_name = 'invoices'
        and column_name = 'currency'
        and category = 'unlisted'

),

-- an invoice that comes again as another version brings its total again, and no lines
versions as (

    select coalesce(max(superseded_rows * 500 > raw_rows), false) as has_many
    from quality.row_reconciliation
    where table_name = 'invoices'

),

billed as (

    select
        judged_days.table_name,
        judged_days.profile_date,
        billed_days.lines_minor / nullif(billed_days.invoices_minor, 0) as lines_to_invoices
    from judged_days
    cross join bounds
    cross join versions
    inner join billed_days
        on judged_days.profile_date = billed_days.profile_date
    where
        judged_days.table_name = 'invoice_lines'
        and not versions.has_many
        and judged_days.row_count >= 20
        and judged_days.profile_date <= bounds.last_complete_day
        and judged_days.profile_date not in (
            select unlisted_currencies.profile_date from unlisted_currencies
        )

)

select
    judged_days.table_name,
    strftime(judged_days.profile_date, '%Y-%m-%d') as profile_date,
    judged_days.row_count,
    usual_rows.usual_rows,
    -- a distance within five spreads is chance, and counts as none
    case
        when usual_rows.usual_rows >= 20 and judged_days.profile_date <= bounds.last_complete_day
            then case
                -- three or four days of the month renew together on the last of February
                when
                    judged_days.row_count > usual_rows.usual_rows
                    and month(judged_days.profile_date) = 2
                    and month(judged_days.profile_date + 1) = 3
                    then 1
                when
                    abs(ln((judged_days.row_count + 0.5) / (usual_rows.usual_rows + 0.5)))
                    <= 5 * spreads.spread
                    then 1
                else judged_days.row_count / usual_rows.usual_rows
            end
    end as rows_ratio,
    case
        when judged_days.profile_date = bounds.last_complete_day
            then cast(greatest(bounds.last_complete_day - daily_feeds.last_date, 0) as double)
    end as silent_days,
    case
        when judged_days.row_count >= 100 and last_28_days.row_count >= 1000
            then last_28_days.distinct_keys / last_28_days.row_count
                - judged_days.distinct_keys / judged_days.row_count
    end as repeated_share_change,
    case
        when usual_rows.usual_rows >= 200
            and judged_days.row_count > 0
            and judged_days.profile_date <= bounds.last_complete_day
            then last_28_days.event_hours - judged_days.event_hours
    end as missing_hours,
    case
        when usual_rows.usual_rows >= 20 and judged_days.profile_date <= bounds.last_complete_day
            then cast(judged_days.row_count as double)
    end as rows_where_usual,
    case
        when
            judged_days.row_count >= 20
            and last_28_days.row_count >= 300
            and abs(judged_days.delay_hours - last_28_days.delay_hours)
            > 5 * last_28_days.delay_spread
            then judged_days.delay_hours - last_28_days.delay_hours
        when judged_days.row_count >= 20 and last_28_days.row_count >= 300 then 0
    end as delay_change_hours,
    billed.lines_to_invoices,
    judged_days.incomplete_rows / nullif(judged_days.row_count, 0) as incomplete_share,
    judged_days.early_rows / nullif(judged_days.row_count, 0) as early_share
from judged_days
cross join bounds
left join usual_rows
    on
        judged_days.table_name = usual_rows.table_name
        and judged_days.profile_date = usual_rows.profile_date
left join spreads
    on
        judged_days.table_name = spreads.table_name
        and judged_days.profile_date = spreads.profile_date
left join last_28_days
    on
        judged_days.table_name = last_28_days.table_name
        and judged_days.profile_date = last_28_days.profile_date
left join billed
    on
        judged_days.table_name = billed.table_name
        and judged_days.profile_date = billed.profile_date
left join daily_feeds
    on judged_days.table_name = daily_feeds.table_name
order by judged_days.table_name, judged_days.profile_date
