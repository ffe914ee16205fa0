// The languages that people speak: what is kept of one (its BCP 47 tag), and how it is shown.
//
// Knows the browser's names for languages. Must not know fields.

/** Those that are recognised by name; any other is kept as it was typed. The most spoken, and Europe's. */
const TAGS = ("en hi zh es ar fr bn pt ru ur id de ja mr te tr ta vi ko it th gu fa pl uk ml kn or pa ro nl el hu sv cs " +
  "he da fi no sk bg hr sr lt lv et sl ca ga sw am ne si my km uz kk az ka hy").split(" ");

export class Languages {
  /** @param {string} tag of the language in which they are named */
  constructor(tag) {
    const own = new Intl.DisplayNames(tag, { type: "language" });
    this.shown = (/** @type {string} */ kept) => {
      try {
        return own.of(kept) ?? kept;
      } catch {
        return kept;
      }
    };
    /** @type {Map<string, string>} */
    this.byName = new Map();
    for (const known of TAGS) {
      const names = [tag, "en", known].map((of) => new Intl.DisplayNames(of, { type: "language" }).of(known));
      for (const name of names) if (name) this.byName.set(name.toLowerCase(), known);
    }
  }

  /** What is kept of what was typed: the tag of a known one. @param {string} typed */
  kept(typed) {
    const lower = typed.toLowerCase();
    return TAGS.includes(lower) ? lower : this.byName.get(lower) ?? typed;
  }

  /** The browser's own first, and then the most spoken. @returns {[string, string][]} */
  get suggestions() {
    const own = navigator.languages.map((tag) => tag.split("-")[0].toLowerCase());
    const tags = [...new Set([...own, ...TAGS.slice(0, 8)])];
    return tags.map((tag) => [tag, this.shown(tag)]);
  }
}
