with

survey_responses as (

    select * from {{ ref('stg_touchpoints__survey_responses') }}

),

responses as (

    select
        response_id,
        subscriber_id,
        responded_at,
        {{ local_month('responded_at') }} as month_start,
        kind,
        score,
        case
            when kind = 'nps' and score between 9 and 10 then 'promoter'
            when kind = 'nps' and score between 7 and 8 then 'passive'
            when kind = 'nps' and score between 0 and 6 then 'detractor'
            when kind = 'csat' and score between 4 and 5 then 'satisfied'
            when kind = 'csat' and score between 1 and 3 then 'unsatisfied'
            else 'off_scale'
        end as verdict
    from survey_responses

)

select * from responses
