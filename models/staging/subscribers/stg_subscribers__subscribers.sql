with

versions as (

    select * from {{ ref('base_subscribers__subscribers') }}

),

split_ids as (

    select * from {{ ref('stg_subscribers__split_ids') }}

),

age_bands as (

    select * from {{ ref('age_bands') }}

),

accepted as (

    select * from versions
    where version_rank = 1 and broken_rule is null

),

-- as in every table, what has no time is of the time before the request
versions_of_halves as (

    select
        split_ids.current_id,
        split_ids.is_erased,
        split_ids.first_active_at,
        versions.country_code,
        versions.birth_year,
        versions.acquisition_channel,
        versions.referred_by_subscriber_id,
        versions.signed_up_at,
        versions.is_marketing_opt_in,
        versions.version_rank,
        coalesce(versions.signed_up_at < split_ids.requested_at, true) = split_ids.is_erased
            as is_own_version
    from split_ids
    inner join accepted
        on split_ids.subscriber_id = accepted.subscriber_id
    inner join versions
        on split_ids.subscriber_id = versions.subscriber_id
    where versions.version_rank is not null

),

-- of a split id each half takes its newest version of its own side of the request, else the newest
halves as (

    select * from versions_of_halves
    qualify
        row_number() over (
            partition by current_id
            order by case when is_own_version then 0 else 1 end, version_rank
        ) = 1

),

people as (

    select
        accepted.subscriber_id,
        accepted.country_code,
        accepted.birth_year,
        accepted.acquisition_channel,
        accepted.referred_by_subscriber_id,
        accepted.signed_up_at,
        accepted.is_marketing_opt_in,
        false as is_erased
    from accepted
    left join split_ids
        on
            accepted.subscriber_id = split_ids.subscriber_id
            and not split_ids.is_erased
    where split_ids.subscriber_id is null

    union all

    -- consent and referral were those of the person who gave them, and end with the erasure
    select
        current_id as subscriber_id,
        country_code,
        case when is_own_version and not is_erased then birth_year end as birth_year,
        acquisition_channel,
        case when is_own_version then referred_by_subscriber_id end as referred_by_subscriber_id,
        coalesce(case when is_own_version then signed_up_at end, first_active_at) as signed_up_at,
        coalesce(is_marketing_opt_in, false) and is_own_version and not is_erased
            as is_marketing_opt_in,
        is_erased
    from halves
    where
        (is_own_version and signed_up_at is not null)
        or first_active_at is not null

),

people_with_referrers as (

    select
        people.subscriber_id,
        coalesce(people.country_code, 'unknown') as country_code,
        coalesce(people.acquisition_channel, 'unknown') as acquisition_channel,
        -- who names themselves was brought by nobody
        nullif(
            case
                when people.signed_up_at < split_ids.requested_at then split_ids.current_id
                else people.referred_by_subscriber_id
            end,
            people.subscriber_id
        ) as referred_by_subscriber_id,
        people.signed_up_at,
        people.is_marketing_opt_in,
        people.is_erased,
        -- the age reached in the year of the horizon, beyond all bands if born before all time
        extract(year from {{ local_date(as_of()) }}) - greatest(people.birth_year, 0) as age
    from people
    left join split_ids
        on
            people.referred_by_subscriber_id = split_ids.subscriber_id
            and split_ids.is_erased

),

-- the year of birth names a person and ends here; the band does not
people_with_age_bands as (

    select
        people_with_referrers.subscriber_id,
        people_with_referrers.country_code,
        people_with_referrers.acquisition_channel,
        people_with_referrers.referred_by_subscriber_id,
        people_with_referrers.signed_up_at,
        people_with_referrers.is_marketing_opt_in,
        people_with_referrers.is_erased,
        coalesce(age_bands.age_band, 'unknown') as age_band
    from people_with_referrers
    left join age_bands
        on
            people_with_referrers.age >= age_bands.from_age
            and people_with_referrers.age < age_bands.until_age

)

select * from people_with_age_bands
