// What all charts have in common: colours of the page, axes, tooltips without inline style.

const element = (name, properties = {}, children = []) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};
Tenure.element = element;

const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

Tenure.palette = () => ({
  ink: read("--ink"),
  soft: read("--soft"),
  line: read("--line"),
  paper: read("--card"),
  series: [1, 2, 3, 4, 5, 6, 7, 8].map((each) => read(`--series-${each}`)),
  gain: read("--gain"),
  loss: read("--loss"),
  level: read("--level"),
  onStrong: read("--on-strong"),
  onWeak: read("--on-weak"),
  ramp: [1, 2, 3, 4, 5].map((each) => read(`--ramp-${each}`)),
});

const { words } = Tenure;

// the tooltip: built of elements, since the page's policy forbids styles inside of markup
const tooltip = (title, lines) =>
  element("div", { className: "tip" }, [
    element("strong", { textContent: title }),
    ...lines.map(({ label, text, colour }) => {
      const swatch = element("i");
      if (colour) swatch.style.background = colour;
      return element("p", {}, [swatch, element("span", { textContent: label }), element("b", { textContent: text })]);
    }),
  ]);
Tenure.tooltip = tooltip;

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

Tenure.base = (colours, { isNarrow }) => ({
  animation: false,
  color: colours.series,
  textStyle: { fontFamily: FONT, color: colours.soft, fontSize: isNarrow ? 11 : 12 },
  grid: { left: 4, right: 12, top: 34, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
  legend: {
    top: 0,
    left: 0,
    type: "plain",
    selectedMode: true,
    itemWidth: 14,
    itemHeight: 9,
    itemGap: 14,
    textStyle: { color: colours.ink, fontSize: isNarrow ? 11 : 12 },
    inactiveColor: colours.soft,
  },
  tooltip: {
    trigger: "axis",
    confine: true,
    backgroundColor: colours.paper,
    borderColor: colours.line,
    textStyle: { color: colours.ink, fontFamily: FONT, fontSize: 12 },
    extraCssText: "box-shadow:0 4px 16px rgb(0 0 0 / .18);border-radius:8px",
  },
});

// the room that a legend takes, which may need several lines
Tenure.legendRoom = (labels, width) => {
  let [lines, used] = [1, 0];
  for (const label of labels) {
    const wide = 34 + label.length * 6.6;
    if (used && used + wide > width) [lines, used] = [lines + 1, 0];
    used += wide;
  }
  return 14 + lines * 21;
};

Tenure.categoryAxis = (colours, values, more = {}) => ({
  type: "category",
  data: values,
  axisLine: { lineStyle: { color: colours.line } },
  axisTick: { show: false },
  axisLabel: { color: colours.soft, hideOverlap: true, ...more.axisLabel },
  ...more.axis,
});

Tenure.valueAxis = (colours, kind, more = {}) => ({
  type: "value",
  splitNumber: 4,
  axisLine: { show: false },
  axisTick: { show: false },
  axisLabel: { color: colours.soft, hideOverlap: true, formatter: (value) => words.short(value, kind) },
  splitLine: { lineStyle: { color: colours.line, width: 1 } },
  ...more,
});

Tenure.monthAxis = (colours, months) =>
  Tenure.categoryAxis(colours, months, {
    axisLabel: {
      showMaxLabel: months.some(Tenure.isOpen) || null,
      alignMaxLabel: "right",
      formatter: (month) => (Tenure.isOpen(month) ? `${words.shortMonth(month)} open` : words.shortMonth(month)),
    },
  });

// the open month is shaded and named, so that nobody takes it for one that is over
const openShade = (colours, months) => {
  const open = months.filter(Tenure.isOpen);
  return open.length
    ? {
        silent: true,
        itemStyle: { color: colours.soft, opacity: 0.14 },
        data: [[{ xAxis: open[0] }, { xAxis: open[open.length - 1] }]],
      }
    : undefined;
};

// the way from the last whole month to what is known so far of the open one: dashed, to a ring
const soFar = (rows, key, own, colours) => {
  const at = rows.findIndex((row) => Tenure.isOpen(row.month));
  if (at < 1 || rows[at][key] == null) return [];
  return [
    {
      type: "line",
      silent: true,
      tooltip: { show: false },
      color: own,
      lineStyle: { width: 1.5, type: [3, 3], color: own },
      symbol: "circle",
      symbolSize: 8,
      data: rows.map((row, here) =>
        here === at
          ? { value: row[key], itemStyle: { color: colours.paper, borderColor: own, borderWidth: 2 } }
          : here === at - 1
            ? { value: row[key], symbol: "none" }
            : null,
      ),
    },
  ];
};

// the rows of a series with those months in between of which there is no row, and so no figure
const everyMonth = (rows) => {
  const [first, last] = [rows[0], rows.at(-1)].map((row) => Tenure.months.indexOf(row?.month));
  if (first < 0 || last < first) return rows;
  const known = new Map(rows.map((row) => [row.month, row]));
  return Tenure.months.slice(first, last + 1).map((month) => known.get(month) ?? { month });
};

// series by month, lines or bars, out of the rows of the chart's table; of an open month a ratio is not
// drawn, since it would look final
Tenure.byMonth = (context, someRows, series, { kind, stack, isBar, isRatio = kind === "rate", zero = true, legend = series.length > 1 }) => {
  const { colours } = context;
  const rows = everyMonth(someRows);
  const months = rows.map((row) => row.month);
  return {
    legend: { show: legend, data: series.map(({ label }) => label) },
    grid: { top: legend ? Tenure.legendRoom(series.map(({ label }) => label), context.width) : 10 },
    xAxis: Tenure.monthAxis(colours, months),
    yAxis: Tenure.valueAxis(colours, kind, { scale: !zero }),
    tooltip: {
      formatter: (points) => {
        const { axisValue: month, dataIndex } = points[0];
        const note = Tenure.isOpen(month) ? " (open, so far)" : "";
        return tooltip(
          words.monthName(month) + note,
          series
            .map(({ key, label, colour }, at) => ({
              label,
              text: words.full(rows[dataIndex][key], kind),
              colour: colour ?? colours.series[at % colours.series.length],
            }))
            .filter((_, at) => rows[dataIndex][series[at].key] != null),
        );
      },
    },
    series: [
      ...series.flatMap(({ key, label, colour, isDashed, isBold }, at) => {
        const own = colour ?? colours.series[at % colours.series.length];
        if (isBar) {
          return [
            {
              name: label,
              type: "bar",
              stack: stack ? "all" : undefined,
              color: own,
              barCategoryGap: "28%",
              markArea: at === 0 ? openShade(colours, months) : undefined,
              data: rows.map((row) =>
                Tenure.isOpen(row.month)
                  ? { value: row[key], itemStyle: { opacity: 0.45, borderColor: own, borderType: "dashed", borderWidth: 1 } }
                  : row[key],
              ),
            },
          ];
        }
        return [
          {
            name: label,
            type: "line",
            color: own,
            symbol: at % 2 ? "rect" : "circle",
            symbolSize: 5,
            // a month between two without a figure has no line to be seen by
            showSymbol: months.length < 3 || rows.length > someRows.length,
            lineStyle: { width: isBold ? 3 : 2, type: isDashed ? "dashed" : "solid", color: own },
            data: rows.map((row) => (Tenure.isOpen(row.month) ? null : (row[key] ?? null))),
          },
          ...(isRatio ? [] : soFar(rows, key, own, colours)),
        ];
      }),
    ],
  };
};

Tenure.horizontalBars = (context, labels, series, { kind, stack, legend = series.length > 1, max, min }) => {
  const { colours } = context;
  return {
    legend: { show: legend },
    grid: { top: legend ? Tenure.legendRoom(series.map(({ label }) => label), context.width) : 4, right: 28 },
    xAxis: Tenure.valueAxis(colours, kind, { max, min, ...(max === 1 && min == null ? { interval: 0.25 } : {}) }),
    yAxis: Tenure.categoryAxis(colours, labels, {
      axis: { inverse: true },
      axisLabel: { interval: 0, color: colours.ink, width: Math.min(230, Math.max(96, context.width * 0.36)), overflow: "truncate" },
    }),
    tooltip: {
      axisPointer: { type: "shadow" },
      formatter: (points) =>
        tooltip(
          points[0].axisValue,
          points
            .filter((point) => point.value != null)
            .map((point) => ({ label: point.seriesName, text: words.full(point.value, kind), colour: point.color })),
        ),
    },
    series: series.map(({ label, values, colour, more }, at) => ({
      name: label,
      type: "bar",
      stack: stack ? "all" : undefined,
      barMaxWidth: 22,
      color: colour ?? colours.series[at % colours.series.length],
      data: values,
      ...more,
    })),
  };
};

// whiskers across horizontal bars, one pair of ends a bar
Tenure.intervals = (colours, ends) => ({
  type: "custom",
  silent: true,
  tooltip: { show: false },
  z: 5,
  encode: { x: [0, 1], y: 2 },
  data: ends.flatMap((pair, at) => (pair ? [[...pair, at]] : [])),
  renderItem: (_, api) => {
    const [from, y] = api.coord([api.value(0), api.value(2)]);
    const [to] = api.coord([api.value(1), api.value(2)]);
    const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style: { stroke: colours.ink, lineWidth: 1.5 } });
    return { type: "group", children: [line(from, y, to, y), line(from, y - 3, from, y + 3), line(to, y - 3, to, y + 3)] };
  },
});

const registered = new Map();
Tenure.charts = registered;
Tenure.chart = (name, definition) => registered.set(name, definition);
