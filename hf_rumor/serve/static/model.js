// What the model was trained on, and how well it performs.

import { $, currentLanguage, make, number, onLanguage, send, t } from "./shared.js";

let facts = null;

export async function startModel() {
  onLanguage(render);
  facts = await (await send("api/model")).json();
  render();
}

function render() {
  if (!facts) return;
  const { report } = facts;
  const warnings = report ? report.warnings[currentLanguage()] : [];
  $("warnings").replaceChildren(...warnings.map((line) => make("li", {}, line)));
  const rows = [["model_name", facts.name]];
  if (report) {
    const { corpus, num_posts: posts, num_rumors: rumors } = report;
    rows.push(
      ["corpus", t("corpus_facts", { corpus, posts, rumors })],
      ["parts", t("parts_facts", report.parts)],
      ["encoder", report.encoder],
      ["trained_at", report.trained_at],
      ["rule", report.rule],
    );
  }
  const abstains = facts.abstain_below === null ? "" : ` · ${t("abstains", { value: String(facts.abstain_below) })}`;
  rows.push(["current_threshold", number(facts.threshold) + abstains]);
  const list = make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, t(name)), make("dd", {}, value)]));
  $("model_facts").replaceChildren(list, ...(report ? scores(report) : [make("p", {}, t("no_report"))]));
}

function scores(report) {
  const head = ["score", "value", "interval"].map((name) => make("th", { scope: "col" }, t(name)));
  const rows = Object.entries(report.scores).map(([name, [value, low, high]]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, t(`score_${name}`)),
      make("td", {}, number(value)),
      make("td", {}, low === undefined || low === null ? "–" : `[${number(low)}, ${number(high)}]`),
    ),
  );
  return [
    make("h3", {}, t("scores_title")),
    make("p", {}, report.result[currentLanguage()]),
    make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows)),
    make("p.small", {}, t("scores_hint", { threshold: number(report.threshold) })),
  ];
}
