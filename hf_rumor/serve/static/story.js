// One story of the queue as a list item, and its words.

import { make, number, t } from "./shared.js";

export const KEYS = { r: "rumor", n: "non-rumor", u: "undecided" };

export function verdictName(story) {
  return story.verdict ? t(story.verdict) : t("no_verdict");
}

/** Return the list item of a story; `decide` is called with its number and a verdict. */
export function makeStory(story, isCurrent, decide) {
  const { own } = story;
  const facts = t("facts_of_story", {
    predicted: t(own.decision),
    probability: number(own.probability),
    posts: own.posts,
    reach: own.reach,
  });
  const id = `story_${story.number}`;
  return make(
    "li",
    { id, tabindex: -1, "aria-current": isCurrent ? "true" : null, "aria-labelledby": `${id}_title ${id}_text` },
    make("h3", { id: `${id}_title` }, t("story", { rank: own.rank })),
    make("p.text", { id: `${id}_text`, lang: "zh" }, story.text),
    make("p.small", {}, facts),
    own.words ? make("p.small", {}, t("influential", { words: own.words })) : null,
    own.earlier_posts ? make("p.small", {}, earlier(own)) : null,
    original(story.values),
    verdicts(story, decide),
  );
}

function earlier(own) {
  const verdict = own.earlier_verdict ? t("earlier_verdict", { verdict: t(own.earlier_verdict) }) : "";
  return t("earlier", { count: own.earlier_posts }) + verdict;
}

function original(values) {
  const rows = Object.entries(values);
  if (!rows.length) return null;
  const list = rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]);
  return make("details", {}, make("summary", {}, t("original")), make("dl", {}, ...list));
}

function verdicts(story, decide) {
  const buttons = Object.entries(KEYS).map(([key, verdict]) => {
    const attributes = { type: "button", "data-verdict": verdict, "aria-pressed": String(story.verdict === verdict) };
    const button = make("button", attributes, t(verdict), make("kbd", {}, key.toUpperCase()));
    button.addEventListener("click", () => decide(story.number, verdict));
    return button;
  });
  const state = story.verdict
    ? t(story.author ? "verdict_by" : "verdict_is", { verdict: t(story.verdict), author: story.author })
    : t("no_verdict");
  const label = t("verdict_for", { rank: story.own.rank });
  return make("div.verdicts", { role: "group", "aria-label": label }, ...buttons, make("span.state", {}, state));
}
