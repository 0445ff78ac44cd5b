select
    kind,
    case
        when kind = 'data test' then coalesce(nullif(split_part(suite, '/', 2), ''), suite)
        else suite
    end as suite,
    count(*) filter (where status = 'passed') as passed,
    count(*) filter (where status = 'warned') as warned,
    count(*) filter (where status = 'failed') as failed
from quality.check_results
group by all
order by all
