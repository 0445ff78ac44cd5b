select
    title_id,
    left(title_name, 80) as title_name,
    content_type,
    genre,
    viewers,
    plays,
    watched_hours,
    completable_plays,
    completed_plays,
    completion_rate,
    first_title_subscribers,
    last_title_churns,
    early_viewers,
    early_viewers_survival,
    other_subscribers_survival,
    survival_difference,
    survival_difference_std_error,
    count(*) over () as all_rows
from marts.title_performance
qualify row_number() over (order by watched_hours desc, title_id) <= 40
order by watched_hours desc, title_id
