with

contributions as (

    select * from {{ ref('int_risk__contributions') }}

),

intercepts as (

    select * from {{ ref('stg_fitted__risk_coefficients') }}
    where feature = 'intercept'

),

sums as (

    select
        subscriber_id,
        outcome,
        sum(contribution) as contribution
    from contributions
    group by subscriber_id, outcome

),

-- odds against staying; the bound is beyond any certainty and within what a number can hold
outcome_odds as (

    select
        sums.subscriber_id,
        sums.outcome,
        exp(least(intercepts.coefficient + cast(sums.contribution as double), 50)) as odds
    from sums
    inner join intercepts
        on sums.outcome = intercepts.outcome

),

odds as (

    select
        subscriber_id,
        coalesce(max(case when outcome = 'voluntary' then odds end), 0) as voluntary_odds,
        coalesce(max(case when outcome = 'involuntary' then odds end), 0) as involuntary_odds,
        coalesce(max(case when outcome = 'other' then odds end), 0) as other_odds
    from outcome_odds
    group by subscriber_id

),

probabilities as (

    select
        subscriber_id,
        voluntary_odds / (1 + voluntary_odds + involuntary_odds + other_odds)
            as voluntary_probability,
        involuntary_odds / (1 + voluntary_odds + involuntary_odds + other_odds)
            as involuntary_probability,
        other_odds / (1 + voluntary_odds + involuntary_odds + other_odds) as other_probability,
        (voluntary_odds + involuntary_odds + other_odds)
        / (1 + voluntary_odds + involuntary_odds + other_odds) as end_probability
    from odds

)

select * from probabilities
