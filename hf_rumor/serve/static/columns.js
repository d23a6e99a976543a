// Upload a file; if its columns are unknown, ask for them.

import { make, onLanguage, refuse, Refused, send, t } from "./shared.js";

/** Return a function that uploads the chosen file to a path, with further parameters. */
export function makeUpload(form, input) {
  const picker = form.querySelector(".columns");
  let found = null; // the columns of the file, if it was refused without them

  function forget() {
    found = null;
    render();
  }

  function render() {
    const chosen = [...picker.querySelectorAll("select")].map((select) => select.value);
    const isNumbered = picker.querySelector("input")?.checked;
    picker.hidden = !found;
    if (!found) {
      picker.replaceChildren();
      return;
    }
    const options = () =>
      found.columns.map((column, place) =>
        make("option", { value: place }, t("option", { column, example: found.examples[place] })),
      );
    const ids = ["text_column", "id_column"].map((name) => `${input.id}_${name}`);
    picker.replaceChildren(
      make("h3", { tabindex: -1 }, t("columns_title")),
      make("p", {}, t("columns_hint")),
      make("label", { for: ids[0] }, t("text_column")),
      make("select", { id: ids[0] }, ...options()),
      make("label", { for: ids[1] }, t("id_column")),
      make("select", { id: ids[1] }, make("option", { value: "" }, t("no_column")), ...options()),
    );
    if (found.can_be_numbered) {
      const id = `${input.id}_no_header`;
      const box = make("input", { id, type: "checkbox", checked: isNumbered ? "" : null });
      picker.append(make("p", {}, box, make("label", { for: id }, t("has_no_header"))));
    }
    chosen.forEach((value, place) => (picker.querySelectorAll("select")[place].value = value));
  }

  function parameters() {
    if (!found) return {};
    const [text, id] = [...picker.querySelectorAll("select")].map((select) => select.value);
    const isNumbered = picker.querySelector("input")?.checked;
    const name = (place) => (place === "" ? "" : isNumbered ? String(Number(place) + 1) : found.columns[place]);
    return { text_column: name(text), id_column: name(id) };
  }

  input.addEventListener("change", forget);
  onLanguage(render);

  return async (path, more) => {
    const [file] = input.files;
    if (!file) throw refuse("no_file");
    const query = new URLSearchParams({ name: file.name, ...more, ...parameters() });
    try {
      const response = await send(`${path}?${query}`, "POST", file);
      forget();
      return response;
    } catch (error) {
      if (!(error instanceof Refused) || error.answer.code !== "columns") throw error;
      found = error.answer;
      render();
      picker.querySelector("h3").focus();
      return null;
    }
  };
}
