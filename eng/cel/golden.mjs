// Writes tests/fixtures/cel: expressions of the Common Expression Language with their values, from the conformance data of the
// specification (npm package @bufbuild/cel-spec, Apache-2.0) and from random expressions evaluated by @bufbuild/cel (Apache-2.0).
//   npm install --prefix artifacts/cel @bufbuild/cel@0.6.1 @bufbuild/cel-spec@0.6.1
//   node eng/cel/golden.mjs artifacts/cel tests/fixtures/cel
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [, , packages, target] = process.argv;
const load = (path) => import(pathToFileURL(resolve(packages, "node_modules/@bufbuild", path)));
const { tests } = await load("cel-spec/dist/esm/testdata/conformance.js");
const { run, isCelList, isCelMap, isCelUint, isCelError } = await load("cel/dist/esm/index.js");
const { strings } = await load("cel/dist/esm/ext/index.js");

// What has to do with Protocol Buffers, or with extensions that Kubernetes does not have, is not asked for.
const suites = ["basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros", "parse", "plumbing",
  "string", "string_ext", "timestamps"];

function specified(value) {
  if ("int64Value" in value) return { int: value.int64Value };
  if ("uint64Value" in value) return { uint: value.uint64Value };
  if ("doubleValue" in value) return { double: String(value.doubleValue) };
  if ("stringValue" in value) return { string: value.stringValue };
  if ("bytesValue" in value) return { bytes: value.bytesValue };
  if ("boolValue" in value) return { bool: value.boolValue };
  if ("nullValue" in value) return { null: true };
  if ("listValue" in value) return { list: (value.listValue.values ?? []).map(specified) };
  if ("mapValue" in value) return { map: (value.mapValue.entries ?? []).map((e) => [specified(e.key), specified(e.value)]) };
  if ("objectValue" in value && value.objectValue["@type"].endsWith("Timestamp")) return { timestamp: value.objectValue.value };
  if ("objectValue" in value && value.objectValue["@type"].endsWith("Duration")) return { duration: value.objectValue.value };
  return undefined;
}

function* rows(suite, section) {
  for (const { original: test } of section.tests ?? []) {
    if (test.bindings || test.typeEnv || test.container) continue;
    const row = { suite: suite.name, name: test.name ?? test.expr, expr: test.expr };
    if (test.evalError) yield { ...row, error: test.evalError.errors?.[0]?.message ?? "" };
    else {
      const value = test.value ? specified(test.value) : { bool: true };
      if (value) yield { ...row, value };
    }
  }
  for (const inner of section.suites ?? []) yield* rows(suite, inner);
}

const conformance = tests.suites.filter((s) => suites.includes(s.name)).flatMap((s) => [...rows(s, s)]);

// A generator with a seed of its own (mulberry32), so that the file comes out the same each time.
let state = 20;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const pick = (...of) => of[Math.floor(random() * of.length)];

function int(d) {
  if (d <= 0) return pick("0", "1", "2", "-3", "7", "9223372036854775807");
  return pick(() => `(${int(d - 1)} ${pick("+", "-", "*", "/", "%")} ${int(d - 1)})`, () => `size(${text(d - 1)})`, () => `${list(d - 1)}.size()`,
    () => `${list(d - 1)}[${int(0)}]`, () => `(${bool(d - 1)} ? ${int(d - 1)} : ${int(d - 1)})`, () => `${text(d - 1)}.indexOf(${text(0)})`, () => `int(${int(d - 1)})`)();
}
function text(d) {
  if (d <= 0) return pick("''", "'a'", "'Ab'", "'a,b,c'", "'é\\u4e16'", "' x '");
  return pick(() => `(${text(d - 1)} + ${text(d - 1)})`, () => `${text(d - 1)}.lowerAscii()`, () => `${text(d - 1)}.upperAscii()`, () => `${text(d - 1)}.trim()`,
    () => `${text(d - 1)}.replace('a', ${text(0)})`, () => `string(${int(d - 1)})`, () => `${text(d - 1)}.substring(${pick("0", "1")})`,
    () => `${text(d - 1)}.split(',').join('-')`, () => `(${bool(d - 1)} ? ${text(d - 1)} : ${text(d - 1)})`)();
}
function list(d) {
  if (d <= 0) return pick("[1]", "[1, 2, 3]", "[5, 4]", "[0, 0]");
  return pick(() => `(${list(d - 1)} + ${list(d - 1)})`, () => `${list(d - 1)}.map(i, i ${pick("+", "*")} ${int(0)})`, () => `${list(d - 1)}.filter(i, i ${pick("<", ">=", "!=")} ${int(0)})`)();
}
function bool(d) {
  if (d <= 0) return pick("true", "false");
  return pick(() => `(${bool(d - 1)} ${pick("&&", "||")} ${bool(d - 1)})`, () => `!${bool(d - 1)}`, () => `(${int(d - 1)} ${pick("<", "<=", "==", "!=", ">")} ${int(d - 1)})`,
    () => `(${text(d - 1)} ${pick("<", "==", "!=")} ${text(d - 1)})`, () => `${text(d - 1)}.${pick("startsWith", "endsWith", "contains")}(${text(0)})`,
    () => `${list(d - 1)}.${pick("all", "exists", "exists_one")}(i, i ${pick("<", ">", "==")} ${int(0)})`, () => `(${int(0)} in ${list(d - 1)})`, () => `${text(d - 1)}.matches('^[a-c]*$')`)();
}

function evaluated(value) {
  if (typeof value === "bigint") return { int: String(value) };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "number") return { double: String(value) };
  if (typeof value === "string") return { string: value };
  if (isCelUint(value)) return { uint: String(value.value) };
  if (isCelList(value)) return { list: [...value].map(evaluated) };
  throw new Error(`no form for ${value}`);
}

const drawn = new Map();
while (drawn.size < 2000) {
  const expr = pick(int, text, list, bool)(1 + Math.floor(random() * 4));
  let value;
  try {
    value = run(expr, {}, { funcs: strings });
  } catch {
    drawn.set(expr, { expr, error: "" });
    continue;
  }
  drawn.set(expr, isCelError(value) ? { expr, error: "" } : { expr, value: evaluated(value) });
}

const write = (name, lines) => writeFileSync(resolve(target, name), lines.map((line) => JSON.stringify(line)).join("\n") + "\n");
write("conformance.jsonl", conformance);
write("random.jsonl", [...drawn.values()]);
console.log(`${conformance.length} expressions of the specification, ${drawn.size} random ones`);
