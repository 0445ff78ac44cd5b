{{ feed_profile(
    'plans',
    key=['plan_id'],
    required=['plan_id', 'plan_name', 'plan_tier', 'is_ad_supported', 'max_streams'],
    categories={'is_ad_supported': ['true', 'false']},
    numbers=['max_streams'],
    distincts=['plan_tier'],
) }}
