// Data quality: what was checked, where rows and money went, how fresh it is, what was restated.

const { words } = Tenure;

Tenure.chart("checks", {
  rows: () => ({
    columns: [
      { key: "name", label: "Judges", kind: "text" },
      { key: "passed", label: "Passed", kind: "count" },
      { key: "warned", label: "Warned", kind: "count" },
      { key: "failed", label: "Failed", kind: "count" },
    ],
    rows: [
      ...Tenure.table("checks")
        .reduce((groups, row) => {
          const name = row.kind === "data test" ? `data tests of ${row.suite}` : `expectations of ${row.suite.split("_")[0]}`;
          const group = groups.get(name) ?? { name, passed: 0, warned: 0, failed: 0 };
          for (const key of ["passed", "warned", "failed"]) group[key] += row[key];
          return groups.set(name, group);
        }, new Map())
        .values(),
    ],
  }),
  option: (context, table) => ({
    height: Math.max(220, 60 + table.rows.length * 24),
    ...Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.name),
      [
        { label: "Passed", values: table.rows.map((row) => row.passed), colour: context.colours.gain },
        { label: "Warned", values: table.rows.map((row) => row.warned), colour: context.colours.series[1] },
        { label: "Failed", values: table.rows.map((row) => row.failed), colour: context.colours.loss },
      ],
      { kind: "count", stack: true },
    ),
  }),
  summary: (table) => {
    const sum = (key) => words.full(table.rows.reduce((total, row) => total + row[key], 0), "count");
    return `${sum("passed")} passed, ${sum("warned")} warned, ${sum("failed")} failed.`;
  },
});

const ENDS = [
  ["accepted_rows", "Accepted"],
  ["duplicate_rows", "Copies"],
  ["superseded_rows", "Older versions"],
  ["quarantined_rows", "Quarantined"],
  ["beyond_as_of_rows", "Beyond the horizon"],
];

const shares = (rows, ends, whole, context, name) => ({
  height: Math.max(220, 60 + rows.length * 24),
  ...Tenure.horizontalBars(
    context,
    rows.map((row) => row[name]),
    ends.map(([key, label], at) => ({ label, values: rows.map((row) => words.quotient(row[key], row[whole])), colour: context.colours.series[at] })),
    { kind: "rate", stack: true, max: 1 },
  ),
});

Tenure.chart("raw_rows", {
  rows: () => ({
    columns: [
      { key: "table_name", label: "Raw table", kind: "text" },
      { key: "raw_rows", label: "Raw rows", kind: "count" },
      ...ENDS.map(([key, label]) => ({ key, label, kind: "count" })),
    ],
    rows: Tenure.table("raw_rows"),
  }),
  option: (context, table) => shares(table.rows, ENDS, "raw_rows", context, "table_name"),
  summary: (table) => {
    const sum = (key) => words.full(table.rows.reduce((total, row) => total + row[key], 0), "count");
    return `Of ${sum("raw_rows")} raw rows ${sum("accepted_rows")} were accepted and ${sum("quarantined_rows")} quarantined.`;
  },
});

Tenure.chart("quarantine", {
  rows: () => ({
    columns: [
      { key: "name", label: "Table and rule", kind: "text" },
      { key: "quarantined_rows", label: "Rows", kind: "count" },
    ],
    rows: Tenure.table("quarantine").map((row) => ({ ...row, name: `${row.table_name}: ${words.named(row.rule)}` })),
  }),
  option: (context, table) => {
    const rows = table.rows.slice(0, 20);
    return {
      height: Math.max(160, 30 + rows.length * 24),
      ...Tenure.horizontalBars(context, rows.map((row) => row.name), [{ label: "Rows", values: rows.map((row) => row.quarantined_rows), colour: context.colours.loss }], { kind: "count" }),
    };
  },
});

const MONEY = [
  ["recognised_minor", "Recognised"],
  ["future_minor", "Still to be recognised"],
  ["uncollectible_minor", "Uncollectible"],
  ["unearned_minor", "Draft or void"],
  ["duplicate_minor", "Copies"],
  ["superseded_minor", "Older versions"],
  ["quarantined_minor", "Quarantined"],
];

Tenure.chart("money", {
  rows: () => ({
    columns: [
      { key: "currency", label: "Currency", kind: "text" },
      { key: "raw_minor", label: "Raw, in minor units", kind: "count" },
      ...MONEY.map(([key, label]) => ({ key, label, kind: "count" })),
    ],
    rows: Tenure.table("money"),
  }),
  option: (context, table) => shares(table.rows.slice(0, 12), MONEY, "raw_minor", context, "currency"),
});

const DAY = 86_400_000;
const MANY_DAYS = 35;

Tenure.chart("freshness", {
  rows: () => ({
    columns: [
      { key: "table_name", label: "Feed", kind: "text" },
      { key: "newest_date", label: "Newest day", kind: "text" },
      { key: "days", label: "Days behind the newest", kind: "count" },
      { key: "rows_in_7_days", label: "Rows in the last 7 days", kind: "count" },
      { key: "rows_a_week_before", label: "A week before, mean of four", kind: "number" },
    ],
    rows: Tenure.table("freshness")
      .map((row) => ({ ...row, days: Math.round((Date.parse(row.newest_date_of_all) - Date.parse(row.newest_date)) / DAY) }))
      .sort((one, other) => other.days - one.days),
  }),
  option: (context, table) => ({
    height: Math.max(220, 30 + table.rows.length * 24),
    ...Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.table_name),
      [
        {
          label: "Days",
          // a table that never changes would press all others together
          values: table.rows.map((row) => ({ value: Math.min(row.days, MANY_DAYS), days: row.days })),
          colour: context.colours.level,
          more: { label: { show: true, position: "right", color: context.colours.ink, formatter: ({ data }) => words.full(data.days, "count") } },
        },
      ],
      { kind: "count" },
    ),
    tooltip: {
      formatter: ([{ axisValue, data }]) => Tenure.tooltip(axisValue, [{ label: "Days behind the newest", text: words.full(data.days, "count") }]),
    },
  }),
  summary: (table) => `${table.rows.filter((row) => row.days === 0).length} of ${table.rows.length} feeds delivered on the newest day.`,
});

const tableOnly = (name, columns, rows) =>
  Tenure.chart(name, { isTableOnly: true, rows: () => ({ columns, rows: rows() }), option: () => null });

tableOnly(
  "restatements",
  [
    { key: "month_start", label: "Month", kind: "month" },
    { key: "mart_name", label: "Mart", kind: "text" },
    { key: "figure", label: "Figure", kind: "text" },
    { key: "previous_value", label: "Was", kind: "number" },
    { key: "current_value", label: "Is", kind: "number" },
    { key: "difference", label: "Change", kind: "number" },
    { key: "restated_at", label: "By the release of", kind: "text" },
  ],
  () => Tenure.table("restatements").map((row) => ({ ...row, difference: row.current_value == null || row.previous_value == null ? null : row.current_value - row.previous_value })),
);

tableOnly(
  "failed_checks",
  [
    { key: "check_name", label: "Check", kind: "text" },
    { key: "table_name", label: "Table", kind: "text" },
    { key: "severity", label: "Severity", kind: "text" },
    { key: "failures", label: "Failing rows", kind: "count" },
    { key: "message", label: "What was seen", kind: "text" },
    { key: "what_to_do", label: "What to do", kind: "text" },
  ],
  () => Tenure.table("failed_checks"),
);

tableOnly(
  "releases",
  [
    { key: "release_id", label: "Release", kind: "text" },
    { key: "released_at", label: "Made, UTC", kind: "text" },
    { key: "as_of", label: "As of, UTC", kind: "text" },
    { key: "raw_files", label: "Raw files", kind: "count" },
    { key: "raw_rows", label: "Raw rows", kind: "count" },
    { key: "project_version", label: "Project", kind: "text" },
  ],
  () => Tenure.table("releases"),
);
