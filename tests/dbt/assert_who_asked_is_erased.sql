{# A warning: a bad row stops nothing, and who has to see to it that it is mended must know. #}
{{ config(severity='warn', meta={'fault': 'input'}) }}

with

quarantined_requests as (

    select * from {{ ref('quarantined_rows') }}
    where table_name = 'erasure_requests'

),

people as (

    select distinct subscriber_id from {{ source('raw', 'subscribers') }}
    where recorded_at < {{ as_of() }}

),

-- a row a request; one may stay for somebody who is in no raw file any more
requests_without_effect as (

    select
        quarantined_requests.rule,
        count(*) over (partition by quarantined_requests.rule) as requests
    from quarantined_requests
    left join people
        on quarantined_requests.row_key = people.subscriber_id
    where
        quarantined_requests.rule <> 'missing_reference'
        or people.subscriber_id is not null

)

select
    rule,
    requests,
    'erasure_requests: ' || cast(requests as string) || ' of its requests are quarantined ('
    || rule || '), and who asked is not erased' as message
from requests_without_effect
