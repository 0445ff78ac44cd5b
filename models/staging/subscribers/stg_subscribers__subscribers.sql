with

versions as (

    select * from {{ ref('base_subscribers__subscribers') }}

),

erasures as (

    select * from {{ ref('stg_subscribers__erasures') }}

),

accepted as (

    select * from versions
    where version_rank = 1 and broken_rule is null

),

-- what the rows of the other tables say of the two ids that an erased subscriber has
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
        ended_at as happened_at
    from {{ ref('stg_viewing__playback_sessions') }}
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

returns as (

    select
        erasures.subscriber_id,
        min(active_ids.happened_at) as first_active_at
    from erasures
    inner join active_ids
        on erasures.subscriber_id = active_ids.subscriber_id
    group by erasures.subscriber_id

),

pasts as (

    select
        erasures.erased_subscriber_id,
        min(active_ids.happened_at) as first_active_at
    from erasures
    inner join active_ids
        on erasures.erased_subscriber_id = active_ids.subscriber_id
    group by erasures.erased_subscriber_id

),

-- the newest version from before the request, else the one that counts
versions_before_erasure as (

    select
        erasures.erased_subscriber_id,
        erasures.requested_at,
        versions.country_code,
        versions.acquisition_channel,
        versions.referred_by_subscriber_id,
        versions.signed_up_at,
        pasts.first_active_at
    from erasures
    inner join accepted
        on erasures.subscriber_id = accepted.subscriber_id
    inner join versions
        on erasures.subscriber_id = versions.subscriber_id
    left join pasts
        on erasures.erased_subscriber_id = pasts.erased_subscriber_id
    qualify
        row_number() over (
            partition by erasures.subscriber_id
            order by
                case when versions.signed_up_at < erasures.requested_at then 0 else 1 end,
                versions.version_rank
        ) = 1

),

-- three kinds of people: never erased, erased, and come back under the old id after it
people as (

    select
        accepted.subscriber_id,
        accepted.country_code,
        accepted.acquisition_channel,
        accepted.referred_by_subscriber_id,
        accepted.signed_up_at,
        accepted.is_marketing_opt_in,
        false as is_erased
    from accepted
    left join erasures
        on accepted.subscriber_id = erasures.subscriber_id
    where
        erasures.subscriber_id is null
        or accepted.signed_up_at >= erasures.requested_at

    union all

    select
        erased_subscriber_id as subscriber_id,
        country_code,
        acquisition_channel,
        referred_by_subscriber_id,
        least(signed_up_at, coalesce(first_active_at, signed_up_at)) as signed_up_at,
        false as is_marketing_opt_in,
        true as is_erased
    from versions_before_erasure
    where
        signed_up_at < requested_at
        or first_active_at is not null

    union all

    -- consent was given by the one who is gone
    select
        accepted.subscriber_id,
        accepted.country_code,
        accepted.acquisition_channel,
        cast(null as string) as referred_by_subscriber_id,
        returns.first_active_at as signed_up_at,
        false as is_marketing_opt_in,
        false as is_erased
    from accepted
    inner join erasures
        on accepted.subscriber_id = erasures.subscriber_id
    inner join returns
        on accepted.subscriber_id = returns.subscriber_id
    where accepted.signed_up_at < erasures.requested_at

),

people_with_referrers as (

    select
        people.subscriber_id,
        coalesce(people.country_code, 'unknown') as country_code,
        coalesce(people.acquisition_channel, 'unknown') as acquisition_channel,
        case
            when people.signed_up_at < erasures.requested_at then erasures.erased_subscriber_id
            else people.referred_by_subscriber_id
        end as referred_by_subscriber_id,
        people.signed_up_at,
        people.is_marketing_opt_in,
        people.is_erased
    from people
    left join erasures
        on people.referred_by_subscriber_id = erasures.subscriber_id

)

select * from people_with_referrers
