// What the page and the conversation say, in one language (words/*.js), and how it writes numbers and times.
//
// Knows a table of sentences. Must not know where they are shown.

/**
 * A sentence, with `{name}` for a value; or one for each form that a number takes in the language
 * (`Intl.PluralRules`), chosen by the value `count`.
 *
 * @typedef {string | Record<string, string>} Sentence
 */

/**
 * A file of words/: the language's own name for itself, where its lines begin, and its sentences.
 *
 * @typedef {{name: string, direction: "ltr" | "rtl", words: Record<string, Sentence>}} Table
 */

/** What can be said in one language. */
export class Words {
  /** @param {string} tag of the language, by BCP 47 @param {Table} table */
  constructor(tag, { name, direction, words }) {
    this.tag = tag;
    this.name = name;
    this.direction = direction;
    this.table = words;
    this.plurals = new Intl.PluralRules(tag);
    this.numbers = new Intl.NumberFormat(tag);
    this.times = new Intl.DateTimeFormat(tag, { hour: "numeric", minute: "2-digit" });
    this.days = new Intl.DateTimeFormat(tag, { dateStyle: "full" });
    this.lists = new Intl.ListFormat(tag, { type: "conjunction" });
  }

  /**
   * A sentence of the table; numbers among the values are written as the language does.
   *
   * @param {string} key @param {Record<string, string | number>} [values]
   */
  say(key, values = {}) {
    const sentence = this.table[key] ?? key;
    const form = typeof sentence === "string" ? sentence : this.#form(sentence, Number(values.count));
    return form.replace(/\{(\w+)\}/g, (_, name) => this.#written(values[name]));
  }

  /** @param {number} number */
  number(number) {
    return this.numbers.format(number);
  }

  /** The time of day. @param {number} ms since 1970 */
  time(ms) {
    return this.times.format(ms);
  }

  /** The date. @param {number} ms since 1970 */
  day(ms) {
    return this.days.format(ms);
  }

  /** Several things, as in "a, b and c". @param {string[]} things */
  list(things) {
    return this.lists.format(things);
  }

  /** A length of data. @param {number} bytes */
  size(bytes) {
    const [unit, value] = bytes < 1000 ? ["byte", bytes] : ["kilobyte", bytes / 1000];
    const form = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 1 };
    return new Intl.NumberFormat(this.tag, /** @type {Intl.NumberFormatOptions} */ (form)).format(value);
  }

  /** @param {Record<string, string>} forms @param {number} count */
  #form(forms, count) {
    return forms[this.plurals.select(count)] ?? forms.other;
  }

  /** @param {string | number | undefined} value */
  #written(value) {
    return typeof value === "number" ? this.number(value) : value ?? "";
  }
}

/**
 * The words of a language that has a file in words/.
 *
 * @param {string} tag
 * @returns {Promise<Words>}
 */
export async function loadWords(tag) {
  const { default: table } = await import(`./words/${tag}.js`);
  return new Words(tag, table);
}
