{# A warning: a bad row stops nothing, and who has to see to it that it is mended must know. #}
{{ config(severity='warn', meta={'fault': 'input'}, fail_calc='coalesce(sum(requests), 0)') }}

with

quarantined_requests as (

    select * from {{ ref('quarantined_rows') }}
    where table_name = 'erasure_requests'

),

-- one may stay for somebody who is in no raw file any more
requests_of_people as (

    select distinct
        requests.subscriber_id,
        {{ told_text('requests.subscriber_id') }} as row_key
    from {{ source('raw', 'erasure_requests') }} as requests
    inner join {{ source('raw', 'subscribers') }} as people
        on requests.subscriber_id = people.subscriber_id
    where
        requests.recorded_at < {{ as_of() }}
        and coalesce(requests.requested_at < {{ as_of() }}, true)
        and people.recorded_at < {{ as_of() }}

),

keys_of_people as (

    select distinct row_key from requests_of_people

),

accepted_requests as (

    select accepted_rows as requests
    from {{ ref('row_reconciliation') }}
    where table_name = 'erasure_requests'

),

broken_requests as (

    select
        quarantined_requests.rule,
        count(*) as requests,
        count(keys_of_people.row_key) as requests_of_people
    from quarantined_requests
    left join keys_of_people
        on quarantined_requests.row_key = keys_of_people.row_key
    where quarantined_requests.rule <> 'missing_reference'
    group by quarantined_requests.rule

),

counts as (

    select
        (select count(*) from requests_of_people) as requests_of_people,
        (select sum(accepted_requests.requests) from accepted_requests) as accepted_requests,
        (select coalesce(sum(broken_requests.requests_of_people), 0) from broken_requests)
            as broken_requests

),

-- a key may tell its shape alone, which many share: so these are counted, and not looked for
requests_without_effect as (

    select
        rule,
        requests
    from broken_requests
    union all
    select
        'missing_reference' as rule,
        requests_of_people - accepted_requests - broken_requests as requests
    from counts
    where requests_of_people > accepted_requests + broken_requests

)

select
    rule,
    requests,
    'erasure_requests: ' || cast(requests as string) || ' of its requests are quarantined ('
    || rule || '), and who asked is not erased' as message
from requests_without_effect
