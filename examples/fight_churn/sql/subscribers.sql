with

first_renewals as (

    select
        account_id,
        cast(min(start_date) as timestamp) as signed_up_at
    from subscription
    group by account_id

)

select
    cast(account.account_id as varchar) as subscriber_id,
    cast(null as varchar) as email,
    -- an unknown country stands in the file as the word None
    nullif(account.country, 'None') as country_code,
    cast(year(account.date_of_birth) as bigint) as birth_year,
    account.channel as acquisition_channel,
    cast(null as varchar) as referred_by_subscriber_id,
    first_renewals.signed_up_at,
    -- nobody was asked, so nobody may be contacted
    false as is_marketing_opt_in,
    first_renewals.signed_up_at as recorded_at
from account
inner join first_renewals
    on account.account_id = first_renewals.account_id
