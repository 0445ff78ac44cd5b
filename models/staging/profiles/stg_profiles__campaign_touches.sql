{{ feed_profile(
    'campaign_touches',
    key=['touch_id'],
    required=['touch_id', 'subscriber_id', 'campaign_id', 'channel', 'purpose', 'sent_at'],
    optional=['opened_at', 'clicked_at', 'offer_code'],
    event_at='sent_at',
    categories={
        'channel': ['email', 'push', 'in_app', 'sms'],
        'purpose': ['onboarding', 'engagement', 'save', 'win_back', 'upsell', 'loyalty'],
    },
    distincts=['campaign_id'],
) }}
