with

curves as (

    select
        stratum_id,
        period,
        survival
    from {{ source('fitted', 'survival_curves') }}

)

select * from curves
