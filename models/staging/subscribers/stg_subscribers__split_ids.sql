{{ config(database='forgotten') }}

with

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

active_ids as (

    select
        subscriber_id,
        changed_at as happened_at
    from {{ ref('stg_billing__subscription_changes') }}
    union all
    select
        subscriber_id,
        issued_at as happened_at
    from {{ ref('stg_billing__invoices') }}
    union all
    select
        subscriber_id,
        started_at as happened_at
    from {{ ref('base_viewing__exceptional_sessions') }}
    -- of who is erased every session is an exception: the raw files need not be read
    where version_rank = 1 and broken_rule is null
    union all
    select
        subscriber_id,
        opened_at as happened_at
    from {{ ref('stg_touchpoints__support_tickets') }}
    union all
    select
        subscriber_id,
        responded_at as happened_at
    from {{ ref('stg_touchpoints__survey_responses') }}
    union all
    select
        subscriber_id,
        sent_at as happened_at
    from {{ ref('stg_touchpoints__campaign_touches') }}

),

split_ids as (

    select
        subscriber_id,
        requested_at,
        subscriber_id as current_id,
        false as is_erased
    from erasures
    union all
    select
        subscriber_id,
        requested_at,
        erased_subscriber_id as current_id,
        true as is_erased
    from erasures

),

-- what the rows of the other tables say of the two ids that an erased subscriber has
split_ids_with_activity as (

    select
        split_ids.subscriber_id,
        split_ids.requested_at,
        split_ids.current_id,
        split_ids.is_erased,
        -- what began before the request and ended after it is the newcomer's
        case
            when
                not split_ids.is_erased
                and min(active_ids.happened_at) < split_ids.requested_at
                then split_ids.requested_at
            else min(active_ids.happened_at)
        end as first_active_at
    from split_ids
    left join active_ids
        on split_ids.current_id = active_ids.subscriber_id
    group by
        split_ids.subscriber_id,
        split_ids.requested_at,
        split_ids.current_id,
        split_ids.is_erased

)

select * from split_ids_with_activity
