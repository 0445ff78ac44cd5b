// The data of the page: decoded once, added up by the filters that are set.

const unpacked = async (id) => {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};

const [library, ...texts] = await Promise.all(["library", "data", "cube"].map(unpacked));
const [data, packedCube] = texts.map((text) => JSON.parse(text));
// the page's policy knows this text by its hash, and lets no other run
const script = document.createElement("script");
script.textContent = library;
document.head.append(script);

const decodedColumn = (column) =>
  Array.isArray(column) ? column : column.at.map((at) => (at < 0 ? null : column.known[at]));

const decodedTable = (table) => {
  const names = Object.keys(table.columns);
  const columns = names.map((name) => decodedColumn(table.columns[name]));
  return Array.from({ length: table.size }, (_, row) =>
    Object.fromEntries(names.map((name, at) => [name, columns[at][row]])),
  );
};

const decodedMeasure = (measure) => {
  if (!measure.steps) return measure.values;
  const values = new Array(measure.size).fill(0);
  let at = 0;
  measure.steps.forEach((step, index) => {
    at += step;
    values[at] = measure.values[index];
  });
  return values;
};

Tenure.months = data.months;
Tenure.currency = data.currency;
Tenure.release = data.release;
Tenure.isComplete = (month) => data.complete[data.months.indexOf(month)] === true;
Tenure.isOpen = (month) => data.complete[data.months.indexOf(month)] === false;
Tenure.lastComplete = data.months.filter((_, at) => data.complete[at]).pop() ?? null;

const decoded = new Map();
Tenure.table = (name) => {
  if (!decoded.has(name)) {
    const table = data.tables[name];
    decoded.set(name, table ? decodedTable(table) : []);
  }
  return decoded.get(name);
};

// the dimensions of the cube, each member with the words that it is shown by
const NOUNS = { plan_tier: "plans", country_code: "countries", acquisition_channel: "channels" };
Tenure.dimensions = Object.fromEntries(
  [
    ["plan", "plan_tier"],
    ["country", "country_code"],
    ["channel", "acquisition_channel"],
  ].map(([name, column]) => {
    const found = packedCube?.dimensions.find((each) => each.column === column);
    const members = (found?.members ?? []).map((member, at) => {
      const isRest = found.folded > 0 && at === found.members.length - 1;
      const label = isRest ? `other ${NOUNS[column]}` : (member ?? "no name");
      return { at, member, isRest, label };
    });
    return [name, members];
  }),
);

const cube = packedCube && {
  width: packedCube.combinations.length,
  combinations: packedCube.combinations,
  measures: new Map(),
};

const measure = (name) => {
  if (!cube.measures.has(name)) {
    const found = packedCube.measures[name];
    cube.measures.set(name, found ? decodedMeasure(found) : null);
  }
  return cube.measures.get(name);
};

// adding up a thousand decimals leaves dust far behind the fourth place
const dusted = (value) => Math.round(value * 1e4) / 1e4;

// sums of measures by month over the combinations that the filters let through
Tenure.monthly = (names, filters) => {
  const chosen = [];
  cube?.combinations.forEach((combination, at) => {
    const passes = ["plan", "country", "channel"].every(
      (dimension, place) => filters[dimension] == null || combination[place] === filters[dimension],
    );
    if (passes) chosen.push(at);
  });
  return Tenure.months.map((month, row) => {
    const sums = { month };
    for (const name of names) {
      const values = cube ? measure(name) : null;
      sums[name] = values
        ? dusted(chosen.reduce((sum, at) => sum + values[row * cube.width + at], 0))
        : null;
    }
    return sums;
  });
};
