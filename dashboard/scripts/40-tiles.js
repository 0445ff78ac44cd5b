// The headline: value, trend, and what changed against the month and the year before.

const { words, element } = Tenure;

const revenueByMonth = () => new Map(Tenure.table("revenue").map((row) => [row.month_start, row]));

// each figure by month; a rate of an open month is not there yet
const figures = (filters) => {
  const revenue = revenueByMonth();
  const subscribers = Tenure.monthly(["closing_subscribers", "opening_subscribers", "churned_from_opening"], filters);
  const mrr = Tenure.monthly(["closing_mrr_amount"], filters);
  const ofRevenue = (key) => Tenure.months.map((month) => revenue.get(month)?.[key] ?? null);
  const ofWholeMonths = (key) => ofRevenue(key).map((value, at) => (Tenure.isOpen(Tenure.months[at]) ? null : value));
  return [
    { name: "MRR", chart: "mrr_trend", kind: "money", better: 1, values: mrr.map((row) => row.closing_mrr_amount) },
    { name: "Subscribers", chart: "subscriber_trend", kind: "count", better: 1, values: subscribers.map((row) => row.closing_subscribers) },
    {
      name: "Churn rate",
      chart: "churn_trend",
      kind: "rate",
      better: -1,
      values: subscribers.map((row) =>
        Tenure.isComplete(row.month) ? words.quotient(row.churned_from_opening, row.opening_subscribers) : null,
      ),
    },
    { name: "ARPPU", chart: "arppu_trend", kind: "money", better: 1, isWhole: true, values: ofWholeMonths("arppu_amount") },
    { name: "Net revenue", chart: "revenue_trend", kind: "money", better: 1, isWhole: true, values: ofRevenue("net_revenue_amount") },
  ];
};

const SVG = "http://www.w3.org/2000/svg";
const svg = (name, attributes, children = []) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const WIDTH = 160;
const HEIGHT = 34;

// the last 25 months up to the chosen one; what is open is a ring, not a dot
const sparkline = (values, at) => {
  const from = Math.max(0, at - 24);
  const shown = values.slice(from, at + 1);
  const known = shown.filter((value) => value != null);
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "spark", "aria-hidden": "true", preserveAspectRatio: "none" });
  if (known.length < 2) return drawing;
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const points = shown
    .map((value, index) => value == null ? null : [4 + (index / (shown.length - 1)) * (WIDTH - 8), HEIGHT - 5 - ((value - low) / span) * (HEIGHT - 10)])
    .filter(Boolean);
  const path = points.map(([x, y], index) => `${index ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
  const [x, y] = points.at(-1);
  const month = Tenure.months[from + shown.findLastIndex((value) => value != null)];
  drawing.append(
    svg("path", { d: `${path}L${x.toFixed(1)} ${HEIGHT}L${points[0][0].toFixed(1)} ${HEIGHT}Z`, class: "under" }),
    svg("path", { d: path, class: "over" }),
    // lines of no length: a circle would be drawn out with the picture
    svg("path", { d: `M${x.toFixed(1)} ${y.toFixed(1)}h0`, class: "dot" }),
    ...(Tenure.isOpen(month) ? [svg("path", { d: `M${x.toFixed(1)} ${y.toFixed(1)}h0`, class: "hole" })] : []),
  );
  return drawing;
};

const change = (figure, at, back, label) => {
  const now = figure.values[at];
  const then = at - back >= 0 ? figure.values[at - back] : null;
  const line = element("p", { className: "change" });
  if (now == null || then == null || (figure.kind !== "rate" && !then)) {
    line.append(element("span", { className: "even", textContent: words.full(null) }), ` ${label}`);
    return line;
  }
  const difference = figure.kind === "rate" ? (now - then) * 100 : ((now - then) / Math.abs(then)) * 100;
  const rounded = Math.round(difference * 100) / 100;
  const good = Math.sign(rounded) * figure.better;
  const arrow = rounded > 0 ? "▲" : rounded < 0 ? "▼" : "";
  const text = `${arrow} ${words.full(Math.abs(rounded), Math.abs(rounded) < 100 ? "number" : "count")}${figure.kind === "rate" ? " pp" : "%"}`;
  line.append(
    element("span", { className: good > 0 ? "good" : good < 0 ? "bad" : "even", textContent: text.trim() }),
    ` ${label}`,
  );
  line.dataset.change = rounded;
  return line;
};

const openNote = (figure) => {
  const open = Tenure.months.findIndex(Tenure.isOpen);
  if (open < 0) return null;
  const value = figure.values[open];
  const text =
    value == null
      ? `${words.monthName(Tenure.months[open])} is open: no figure yet`
      : `${words.monthName(Tenure.months[open])}, open, so far: ${words.tile(value, figure.kind)}`;
  return element("p", { className: "so-far", textContent: text });
};

Tenure.showTiles = (filters) => {
  const at = Tenure.months.indexOf(filters.month);
  const isAny = ["plan", "country", "channel"].some((dimension) => filters[dimension] != null);
  const tiles = figures(filters).map((figure) => {
    const value = at < 0 ? null : figure.values[at];
    const isOpen = at >= 0 && Tenure.isOpen(filters.month);
    const when = at < 0 ? "no month" : `${words.monthName(filters.month)}${isOpen ? ", open, so far" : ""}`;
    const back = (months) => (at - months >= 0 ? Tenure.months[at - months] : null);
    const versus = (months, word) => (back(months) ? `vs ${words.shortMonth(back(months))}` : `no ${word} before`);
    const number = element("p", { className: "value", textContent: words.tile(value, figure.kind) });
    if (value != null) number.dataset.value = value;
    const tile = element("a", { className: "tile", href: `#chart-${figure.chart}` }, [
      element("p", { className: "name" }, [
        figure.name,
        element("span", { className: "when", textContent: figure.isWhole && isAny ? `${when} · whole service` : when }),
      ]),
      number,
      ...(at < 0 ? [] : [sparkline(figure.values, at)]),
      // a part of a month compared with a whole one would look like a loss
      ...(isOpen || at < 0 ? [] : [change(figure, at, 1, versus(1, "month")), change(figure, at, 12, versus(12, "year"))]),
    ]);
    const note = at >= 0 && !isOpen ? openNote(figure) : null;
    if (note) tile.append(note);
    tile.dataset.tile = figure.name;
    return tile;
  });
  document.getElementById("tiles").replaceChildren(...tiles);
};
