select
    release_id,
    released_at,
    as_of,
    raw_files,
    raw_rows,
    project_version,
    count(*) over () as all_rows
from quality.releases
-- the newest was written last, whatever the clock said
order by rowid desc
limit 20
