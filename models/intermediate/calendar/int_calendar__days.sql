with

-- the first of an order is found without reading what can't be it, unlike a minimum
first_sessions as (

    select started_at
    from {{ ref('stg_viewing__playback_sessions') }}
    order by started_at asc
    limit 1

),

first_instants as (

    select min(signed_up_at) as happened_at
    from {{ ref('stg_subscribers__subscribers') }}
    union all
    select min(changed_at) as happened_at
    from {{ ref('stg_billing__subscription_changes') }}
    union all
    select min(issued_at) as happened_at
    from {{ ref('stg_billing__invoices') }}
    union all
    select min(invoice_lines.period_start_at) as happened_at
    from {{ ref('stg_billing__invoice_lines') }} as invoice_lines
    inner join {{ ref('stg_billing__invoices') }} as invoices
        on invoice_lines.invoice_id = invoices.invoice_id
    where invoices.status in ('open', 'paid', 'uncollectible')
    union all
    select min(attempted_at) as happened_at
    from {{ ref('stg_billing__payments') }}
    union all
    select min(refunded_at) as happened_at
    from {{ ref('stg_billing__refunds') }}
    union all
    select started_at as happened_at
    from first_sessions
    union all
    select min(opened_at) as happened_at
    from {{ ref('stg_touchpoints__support_tickets') }}
    union all
    select min(responded_at) as happened_at
    from {{ ref('stg_touchpoints__survey_responses') }}
    union all
    select min(sent_at) as happened_at
    from {{ ref('stg_touchpoints__campaign_touches') }}
    union all
    select min({{ first_instant('spend_date') }}) as happened_at
    from {{ ref('stg_touchpoints__marketing_spend') }}

),

limits as (

    select
        {{ local_date('min(happened_at)') }} as first_date,
        {{ local_date(as_of() ~ ' - interval 1 microsecond') }} as last_date
    from first_instants

),

calendar_dates as (

    {{ day_series('limits', 'first_date', 'last_date') }}

),

days as (

    select
        calendar_date,
        {{ month_start('calendar_date') }} as month_start,
        {{ first_instant('calendar_date') }} as started_at,
        {{ first_instant(next_day('calendar_date')) }} as ended_at
    from calendar_dates

)

select * from days
