with

contributions as (

    select * from {{ ref('int_risk__contributions') }}

),

probabilities as (

    select * from {{ ref('int_risk__probabilities') }}

),

reasons as (

    select * from {{ ref('risk_reasons') }}

),

-- what a feature does to the log-odds of ending: its part in each way, as likely as that way is
weighted_contributions as (

    select
        contributions.subscriber_id,
        contributions.feature,
        contributions.category,
        contributions.direction,
        cast(
            case contributions.outcome
                when 'voluntary' then probabilities.voluntary_probability
                when 'involuntary' then probabilities.involuntary_probability
                else probabilities.other_probability
            end / probabilities.end_probability * contributions.contribution_above_mean
            as decimal(18, 9)
        ) as pull
    from contributions
    inner join probabilities
        on contributions.subscriber_id = probabilities.subscriber_id

),

pulls as (

    select
        subscriber_id,
        feature,
        category,
        direction,
        sum(pull) as pull
    from weighted_contributions
    group by subscriber_id, feature, category, direction

),

-- what lowers the risk is no reason to leave, nor is what there are no words for
told_pulls as (

    select
        pulls.subscriber_id,
        pulls.feature,
        pulls.pull,
        replace(reasons.reason, '{}', pulls.category) as reason
    from pulls
    inner join reasons
        on
            pulls.feature = reasons.feature
            and pulls.direction = reasons.direction
    where
        pulls.pull > 0
        and pulls.category not in ('not known yet', 'none yet')

),

ranked_reasons as (

    select
        subscriber_id,
        reason,
        row_number() over (partition by subscriber_id order by pull desc, feature asc)
            as reason_rank
    from told_pulls

),

subscriber_reasons as (

    select
        subscriber_id,
        max(case when reason_rank = 1 then reason end) as reason_1,
        max(case when reason_rank = 2 then reason end) as reason_2,
        max(case when reason_rank = 3 then reason end) as reason_3
    from ranked_reasons
    group by subscriber_id

)

select * from subscriber_reasons
