{#
    A warning: where the model fails, its probabilities are withheld, and the other marts are as right
    as ever.
#}
{{ config(severity='warn') }}

select
    gate,
    measured_value,
    limit_value,
    meaning
from {{ ref('int_risk__gates') }}
where not is_passed
