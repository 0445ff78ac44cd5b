with

accepted as (

    select
        response_id,
        subscriber_id,
        responded_at,
        kind,
        score,
        recorded_at
    from {{ ref('base_touchpoints__survey_responses') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted
