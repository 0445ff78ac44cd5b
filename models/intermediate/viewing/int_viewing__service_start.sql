with

subscriber_days as (

    select * from {{ ref('int_viewing__subscriber_days') }}

),

service_start as (

    select min(viewing_date) as first_viewing_date
    from subscriber_days

)

select * from service_start
