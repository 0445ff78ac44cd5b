// Engagement, playback, titles, the funnel, the risk to leave.

const { words } = Tenure;
const MONTH = { key: "month", label: "Month", kind: "month" };
const unique = (values) => [...new Set(values)];

// ---------------------------------------------------------------- engagement

const engagementRows = ({ memberOf }) => {
  const plan = memberOf("plan");
  const value = plan ? plan.member : "all";
  return Tenure.table("engagement")
    .filter((row) => row.stratum_value === value && !plan?.isRest)
    .map((row) => ({ ...row, month: row.month_start, hours: row.paid_watched_seconds == null ? null : row.paid_watched_seconds / 3600 }));
};
const last = (table, key, kind, what) => {
  const row = table.rows.filter((each) => each[key] != null && Tenure.isComplete(each.month)).at(-1);
  return row ? `${what} in ${words.monthName(row.month)}, the last complete month: ${words.full(row[key], kind)}.` : "No complete month.";
};

Tenure.chart("active_viewers", {
  rows: (context) => ({
    columns: [
      MONTH,
      { key: "monthly_active_subscribers", label: "In the month (MAU)", kind: "count" },
      { key: "mean_daily_active_subscribers", label: "On an average day (DAU)", kind: "number" },
      { key: "active_subscriber_days", label: "Viewing days", kind: "count" },
      { key: "elapsed_days", label: "Days begun", kind: "count" },
    ],
    rows: engagementRows(context),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      [
        { key: "monthly_active_subscribers", label: "In the month (MAU)", isBold: true },
        { key: "mean_daily_active_subscribers", label: "On an average day (DAU)", isDashed: true },
      ],
      { kind: "count" },
    ),
  summary: (table) => last(table, "monthly_active_subscribers", "count", "Monthly active subscribers"),
});

Tenure.chart("stickiness", {
  rows: (context) => ({
    columns: [
      MONTH,
      { key: "mean_daily_active_subscribers", label: "DAU", kind: "number" },
      { key: "monthly_active_subscribers", label: "MAU", kind: "count" },
      { key: "stickiness_rate", label: "Stickiness", kind: "rate" },
    ],
    rows: engagementRows(context),
  }),
  option: (context, table) =>
    Tenure.byMonth(context, table.rows, [{ key: "stickiness_rate", label: "Stickiness", isBold: true, colour: context.colours.series[2] }], { kind: "rate" }),
  summary: (table) => last(table, "stickiness_rate", "rate", "Stickiness"),
});

Tenure.chart("watched_hours", {
  rows: (context) => ({
    columns: [
      MONTH,
      { key: "hours", label: "Hours watched", kind: "number" },
      { key: "average_paying_subscribers", label: "Average paying subscribers", kind: "number" },
      { key: "watched_hours_per_paying_subscriber", label: "Hours each", kind: "number" },
    ],
    rows: engagementRows(context),
  }),
  option: (context, table) =>
    Tenure.byMonth(context, table.rows, [{ key: "watched_hours_per_paying_subscriber", label: "Hours", isBold: true, colour: context.colours.series[4] }], { kind: "number", isRatio: true }),
  summary: (table) => last(table, "watched_hours_per_paying_subscriber", "number", "Hours per paying subscriber"),
});

const PLAYBACK = {
  startup_failure_rate: { label: "Start-up failures", kind: "rate", above: "startup_failures", below: "plays" },
  error_rate: { label: "Errors", kind: "rate", above: "error_plays", below: "plays" },
  rebuffer_ratio: { label: "Rebuffering", kind: "rate", above: "rebuffer_seconds", below: "buffer_watched_seconds" },
  median_startup_ms: { label: "Start-up time, median", kind: "count", below: "timed_starts" },
  p95_startup_ms: { label: "Start-up time, 95th percentile", kind: "count", below: "timed_starts" },
};

Tenure.chart("playback", {
  controls: () => [{ id: "measure", label: "Show", options: Object.entries(PLAYBACK).map(([key, { label }]) => [key, label + (key.endsWith("_ms") ? ", ms" : "")]) }],
  rows: ({ choice }) => {
    const { label, kind, above, below } = PLAYBACK[choice("measure")];
    return {
      columns: [
        MONTH,
        { key: "device_type", label: "Device", kind: "text" },
        ...(above ? [{ key: above, label: words.named(above), kind: "count" }] : []),
        { key: below, label: words.named(below), kind: "count" },
        { key: choice("measure"), label, kind },
      ],
      rows: Tenure.table("experience").map((row) => ({ ...row, month: row.month_start })),
    };
  },
  option: (context, table) => {
    const key = context.choice("measure");
    const devices = unique(table.rows.map((row) => row.device_type));
    const months = new Map();
    for (const row of table.rows) {
      const found = months.get(row.month) ?? { month: row.month };
      found[row.device_type] = row[key];
      months.set(row.month, found);
    }
    return Tenure.byMonth(
      context,
      [...months.values()],
      devices.map((device, at) => ({ key: device, label: words.named(device), isDashed: at % 2 === 1 })),
      { kind: PLAYBACK[key].kind, legend: true, isRatio: true },
    );
  },
});

// ---------------------------------------------------------------- titles

Tenure.chart("top_titles", {
  rows: () => ({
    columns: [
      { key: "name", label: "Title", kind: "text" },
      { key: "content_type", label: "Kind", kind: "text" },
      { key: "genre", label: "Genre", kind: "text" },
      { key: "viewers", label: "Viewers", kind: "count" },
      { key: "plays", label: "Plays", kind: "count" },
      { key: "watched_hours", label: "Hours", kind: "number" },
      { key: "completed_plays", label: "Completed", kind: "count" },
      { key: "completable_plays", label: "Could be completed", kind: "count" },
      { key: "completion_rate", label: "Completion", kind: "rate" },
      { key: "first_title_subscribers", label: "First title of", kind: "count" },
      { key: "last_title_churns", label: "Last title before leaving of", kind: "count" },
    ],
    rows: Tenure.table("titles").map((row) => ({ ...row, name: row.title_name ?? row.title_id })),
  }),
  option: (context, table) => {
    const rows = table.rows.slice(0, 20);
    return {
      height: 30 + rows.length * 22,
      ...Tenure.horizontalBars(context, rows.map((row) => row.name), [{ label: "Hours watched", values: rows.map((row) => row.watched_hours), colour: context.colours.level }], { kind: "count" }),
    };
  },
  summary: (table) => (table.rows[0] ? `Most watched: ${table.rows[0].name}, ${words.full(table.rows[0].watched_hours, "count")} hours.` : ""),
});

Tenure.chart("title_survival", {
  rows: () => ({
    columns: [
      { key: "name", label: "Title", kind: "text" },
      { key: "early_viewers", label: "Early viewers", kind: "count" },
      { key: "early_viewers_survival", label: "Of them still here", kind: "rate" },
      { key: "other_subscribers_survival", label: "Of others", kind: "rate" },
      { key: "survival_difference", label: "Difference", kind: "rate" },
      { key: "survival_difference_std_error", label: "Standard error", kind: "rate" },
    ],
    rows: Tenure.table("titles")
      .filter((row) => row.survival_difference != null)
      .map(({ all_rows: _, ...row }) => ({ ...row, name: row.title_name ?? row.title_id }))
      .sort((one, other) => other.survival_difference - one.survival_difference),
  }),
  option: (context, table) => {
    const { colours } = context;
    // of many titles the ends: where the difference is largest, either way
    const rows = table.rows.length > 20 ? [...table.rows.slice(0, 10), ...table.rows.slice(-10)] : table.rows;
    const option = Tenure.horizontalBars(
      context,
      rows.map((row) => row.name),
      [
        {
          label: "Difference",
          values: rows.map((row) => ({ value: row.survival_difference, itemStyle: { color: row.survival_difference < 0 ? colours.loss : colours.gain } })),
        },
      ],
      { kind: "rate" },
    );
    option.series.push(
      Tenure.intervals(
        colours,
        // where all have left, nobody knows how far chance would go
        rows.map(({ survival_difference: difference, survival_difference_std_error: error }) =>
          error == null ? null : [difference - 2 * error, difference + 2 * error],
        ),
      ),
    );
    return { height: 30 + rows.length * 22, ...option };
  },
  summary: (table) => `${table.rows.length} of the most watched titles have enough early viewers to be judged.`,
});

// ---------------------------------------------------------------- funnel

const funnelRow = (row) => ({ ...row, month: row.month_start, name: words.named(row.stage), metric: words.named(row.metric) });
const COUNTS = [
  { key: "numerator", label: "Numerator", kind: "count" },
  { key: "denominator", label: "Denominator", kind: "count" },
  { key: "stage_rate", label: "Rate", kind: "rate" },
  { key: "target_rate", label: "Target", kind: "rate" },
];

Tenure.chart("funnel", {
  rows: ({ month }) => ({
    columns: [{ key: "name", label: "Stage", kind: "text" }, { key: "metric", label: "Metric", kind: "text" }, ...COUNTS],
    rows: Tenure.table("funnel").filter((row) => row.month_start === month).map(funnelRow),
  }),
  option: (context, table) => {
    const { colours } = context;
    if (table.rows.every((row) => row.stage_rate == null)) return null;
    const option = Tenure.horizontalBars(
      context,
      table.rows.map((row) => `${row.name}  ${words.full(row.stage_rate, "rate")} ${row.stage_rate == null ? "" : row.is_on_target ? "✓" : "✗"}`),
      [
        {
          label: "Rate",
          values: table.rows.map((row) => ({
            value: row.stage_rate,
            itemStyle: { color: row.is_on_target === false ? colours.loss : colours.gain },
          })),
        },
        { label: "Target", values: table.rows.map((row) => row.target_rate), colour: colours.ink, more: { type: "scatter", symbol: "rect", symbolSize: [3, 26], barMaxWidth: undefined } },
      ],
      { kind: "rate", max: 1 },
    );
    return { height: 60 + table.rows.length * 38, ...option };
  },
  summary: (table) => table.rows.map((row) => `${row.name} ${words.full(row.stage_rate, "rate")}, target ${words.full(row.target_rate, "rate")}`).join("; "),
});

Tenure.chart("funnel_trend", {
  controls: () => [{ id: "stage", label: "Stage", options: unique(Tenure.table("funnel").map((row) => row.stage)).map((stage) => [stage, words.named(stage)]) }],
  rows: ({ choice }) => ({
    columns: [MONTH, ...COUNTS],
    rows: Tenure.table("funnel").filter((row) => row.stage === choice("stage")).map(funnelRow),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      [
        { key: "stage_rate", label: "Rate", isBold: true },
        { key: "target_rate", label: "Target", isDashed: true, colour: context.colours.soft },
      ],
      { kind: "rate" },
    ),
  summary: (table) => last(table, "stage_rate", "rate", "Rate"),
});

// ---------------------------------------------------------------- risk

Tenure.chart("risk_deciles", {
  rows: () => ({
    columns: [
      { key: "tenth", label: "Tenth of risk", kind: "text" },
      { key: "subscribers", label: "Subscribers", kind: "count" },
      { key: "voluntary", label: "Voluntary", kind: "number" },
      { key: "involuntary", label: "Involuntary", kind: "number" },
      { key: "other", label: "Other", kind: "number" },
      { key: "mrr_amount", label: "MRR", kind: "money" },
      { key: "expected_mrr_loss_amount", label: "Expected MRR loss", kind: "money" },
    ],
    rows: Tenure.table("risk").map((row) => ({ ...row, tenth: row.risk_decile == null ? `withheld: ${row.withheld_because ?? "no reason given"}` : String(row.risk_decile) })),
  }),
  option: (context, table) => {
    const { colours } = context;
    const rows = table.rows.filter((row) => row.risk_decile != null);
    if (!rows.length) return null;
    return {
      xAxis: Tenure.categoryAxis(colours, rows.map((row) => row.tenth)),
      yAxis: Tenure.valueAxis(colours, "count"),
      tooltip: {
        axisPointer: { type: "shadow" },
        formatter: (points) =>
          Tenure.tooltip(`Tenth ${points[0].axisValue}: ${words.full(rows[points[0].dataIndex].subscribers, "count")} subscribers`, [
            ...points.map((point) => ({ label: point.seriesName, text: words.full(point.value, "number"), colour: point.color })),
            { label: "Expected MRR loss", text: words.full(rows[points[0].dataIndex].expected_mrr_loss_amount, "money") },
          ]),
      },
      series: ["voluntary", "involuntary", "other"].map((way, at) => ({
        name: words.named(way)[0].toUpperCase() + way.slice(1),
        type: "bar",
        stack: "all",
        barCategoryGap: "28%",
        color: colours.series[at],
        data: rows.map((row) => row[way]),
      })),
    };
  },
  summary: (table) => table.rows.map((row) => `tenth ${row.tenth}: ${words.full((row.voluntary ?? 0) + (row.involuntary ?? 0) + (row.other ?? 0), "number")} of ${words.full(row.subscribers, "count")}`).join(", "),
});

Tenure.chart("risk_scorecard", {
  rows: () => ({
    columns: [
      { key: "name", label: "Way to end, predictor", kind: "text" },
      { key: "part", label: "Part", kind: "text" },
      { key: "observation_date", label: "Tried on", kind: "text" },
      { key: "observations", label: "Subscribers", kind: "count" },
      { key: "ended", label: "Ended", kind: "count" },
      { key: "auc", label: "AUC", kind: "fine" },
      { key: "log_loss", label: "Log-loss", kind: "fine" },
      { key: "base_rate_log_loss", label: "Log-loss of the base rate", kind: "fine" },
      { key: "calibration_error", label: "Calibration error", kind: "fine" },
      { key: "lift_at_10_percent", label: "Lift at 10 %", kind: "fine" },
      { key: "recall_at_10_percent", label: "Recall at 10 %", kind: "rate" },
      { key: "shuffled_auc", label: "AUC of shuffled outcomes", kind: "fine" },
    ],
    rows: Tenure.table("scorecard").map((row) => ({ ...row, name: `${row.outcome}, ${row.predictor}` })),
  }),
  option: (context, table) => {
    const rows = table.rows.filter((row) => row.part === "test");
    const outcomes = unique(rows.map((row) => row.outcome));
    const of = (predictor) => outcomes.map((outcome) => rows.find((row) => row.outcome === outcome && row.predictor === predictor)?.auc ?? null);
    if (!outcomes.length) return null;
    return {
      height: 300,
      ...Tenure.horizontalBars(
        context,
        outcomes.map((outcome) => words.named(outcome)),
        [
          { label: "Model", values: of("model"), colour: context.colours.level },
          { label: "Simple rule", values: of("rule"), colour: context.colours.series[1] },
        ],
        { kind: "fine", min: 0.4, max: 1 },
      ),
    };
  },
  summary: (table) => {
    const row = table.rows.find((each) => each.part === "test" && each.outcome === "ended" && each.predictor === "model");
    return row ? `AUC of the model ${words.full(row.auc, "fine")}; its gates ${row.has_passed_gates ? "held" : "did not hold"}.` : "No model was tried.";
  },
});
