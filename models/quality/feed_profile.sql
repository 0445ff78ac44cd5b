with

profiles as (

    select * from {{ ref('stg_profiles__campaign_touches') }}
    union all
    select * from {{ ref('stg_profiles__erasure_requests') }}
    union all
    select * from {{ ref('stg_profiles__exchange_rates') }}
    union all
    select * from {{ ref('stg_profiles__invoice_lines') }}
    union all
    select * from {{ ref('stg_profiles__invoices') }}
    union all
    select * from {{ ref('stg_profiles__marketing_spend') }}
    union all
    select * from {{ ref('stg_profiles__payments') }}
    union all
    select * from {{ ref('stg_profiles__plans') }}
    union all
    -- by name: where a table is kept in parts, what they go by comes last
    select
        table_name,
        profile_date,
        metric,
        column_name,
        category,
        value,
        share
    from {{ ref('stg_profiles__playback_sessions') }}
    union all
    select * from {{ ref('stg_profiles__refunds') }}
    union all
    select * from {{ ref('stg_profiles__subscribers') }}
    union all
    select * from {{ ref('stg_profiles__subscription_changes') }}
    union all
    select * from {{ ref('stg_profiles__support_tickets') }}
    union all
    select * from {{ ref('stg_profiles__survey_responses') }}
    union all
    select * from {{ ref('stg_profiles__titles') }}

),

feed_profile as (

    select
        cast(table_name as string) as table_name,
        profile_date,
        cast(metric as string) as metric,
        cast(column_name as string) as column_name,
        cast(category as string) as category,
        value,
        share
    from profiles

)

select * from feed_profile
