with

probabilities as (

    select * from {{ ref('int_risk__probabilities') }}

),

verdicts as (

    select * from {{ ref('int_risk__verdicts') }}

),

passed_probabilities as (

    select probabilities.*
    from probabilities
    cross join verdicts
    where verdicts.withheld_because is null

),

-- ranked in thousandths, of which each counts those above it: nothing goes through one place
placed_probabilities as (

    select
        *,
        cast(floor(1000 * end_probability) as integer) as thousandth
    from passed_probabilities

),

thousandths as (

    select
        thousandth,
        count(*) as subscribers
    from placed_probabilities
    group by thousandth

),

ordered_thousandths as (

    select
        thousandth,
        sum(subscribers) over (order by thousandth desc) - subscribers as subscribers_above,
        sum(subscribers) over () as all_subscribers
    from thousandths

),

-- equal probabilities are in one tenth
ranked_probabilities as (

    select
        placed_probabilities.*,
        ordered_thousandths.all_subscribers,
        ordered_thousandths.subscribers_above
        + count(*) over (
            partition by placed_probabilities.thousandth
            order by placed_probabilities.end_probability desc
        ) as last_rank
    from placed_probabilities
    inner join ordered_thousandths
        on placed_probabilities.thousandth = ordered_thousandths.thousandth

),

released_probabilities as (

    select
        subscriber_id,
        voluntary_probability,
        involuntary_probability,
        other_probability,
        end_probability,
        cast(ceil(cast(10 * last_rank as double) / all_subscribers) as integer) as risk_decile
    from ranked_probabilities

)

select * from released_probabilities
