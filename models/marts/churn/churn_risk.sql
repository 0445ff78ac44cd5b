with

features as (

    select * from {{ ref('int_risk__features') }}
    where is_current

),

probabilities as (

    select * from {{ ref('int_risk__released_probabilities') }}

),

reasons as (

    select * from {{ ref('int_risk__reasons') }}

),

totals as (

    select * from {{ ref('int_subscribers__totals') }}

),

verdicts as (

    select * from {{ ref('int_risk__verdicts') }}

),

-- what is withheld is withheld whole, the reasons too
risks as (

    select
        features.subscriber_id,
        features.observation_date,
        features.plan_tier,
        features.tenure_days,
        totals.mrr_amount,
        probabilities.end_probability,
        probabilities.voluntary_probability,
        probabilities.involuntary_probability,
        probabilities.other_probability,
        probabilities.risk_decile,
        cast(
            round(probabilities.end_probability * cast(totals.mrr_amount as double), 4)
            as decimal(18, 4)
        ) as expected_mrr_loss_amount,
        case when probabilities.subscriber_id is not null then reasons.reason_1 end as reason_1,
        case when probabilities.subscriber_id is not null then reasons.reason_2 end as reason_2,
        case when probabilities.subscriber_id is not null then reasons.reason_3 end as reason_3,
        verdicts.withheld_because
    from features
    cross join verdicts
    inner join totals
        on features.subscriber_id = totals.subscriber_id
    left join probabilities
        on features.subscriber_id = probabilities.subscriber_id
    left join reasons
        on features.subscriber_id = reasons.subscriber_id

)

select * from risks
