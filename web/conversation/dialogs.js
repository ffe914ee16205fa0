// Two questions that are asked in the page itself: what to report, and whether to clear.
//
// Knows dialogs. Must not know what comes of the answers.

import { button, freshId, make } from "./nodes.js";

/** The longest reason, in bytes (docs/protocol.md, `report`). */
const MOST_REASON_BYTES = 500;

export class ReportForm {
  /**
   * @param {import("../words.js").Words} words
   * @param {(reason: string) => string | null} onreport sends it; returns why that can't be done
   */
  constructor(words, onreport) {
    this.words = words;
    this.onreport = onreport;
    this.title = make("h2", "");
    this.title.id = freshId();
    this.reason = make("textarea", "vy-reason");
    this.reason.id = freshId();
    this.reason.rows = 4;
    this.reason.dir = "auto";
    this.reason.required = true;
    const label = make("label", "", words.say("conversation.report.reason"));
    label.htmlFor = this.reason.id;
    this.problem = make("p", "vy-problem");
    this.problem.setAttribute("role", "alert");
    const send = make("button", "vy-report-send", words.say("conversation.report.send"));
    send.type = "submit";
    const cancel = button("vy-cancel", words.say("conversation.cancel"), () => this.element.close());
    const explanation = make("p", "", words.say("conversation.report.explanation"));
    const form = make("form", "", this.title, explanation, label, this.reason, this.problem,
      make("div", "vy-choices", cancel, send));
    form.noValidate = true;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element = make("dialog", "vy-report-form vy-dialog", form);
    this.element.setAttribute("aria-labelledby", this.title.id);
  }

  /** @param {string} name the partner's */
  ask(name) {
    this.title.textContent = this.words.say("conversation.report.title", { name });
    this.problem.textContent = "";
    this.element.showModal();
    this.reason.focus();
  }

  #submit() {
    const reason = this.reason.value.trim();
    const long = new TextEncoder().encode(reason).length > MOST_REASON_BYTES;
    const key = reason === "" ? "conversation.report.empty" : long ? "conversation.report.long" : null;
    const problem = key ? this.words.say(key) : this.onreport(reason);
    this.problem.textContent = problem ?? "";
    if (problem) return this.reason.focus();
    this.reason.value = "";
    this.element.close();
  }
}

export class ClearForm {
  /** @param {import("../words.js").Words} words @param {() => void} onclear */
  constructor(words, onclear) {
    const title = make("h2", "", words.say("conversation.clear.title"));
    title.id = freshId();
    const cancel = button("vy-cancel", words.say("conversation.cancel"), () => this.element.close());
    const sure = button("vy-clear-sure", words.say("conversation.clear.sure"), () => {
      this.element.close();
      onclear();
    });
    const explanation = make("p", "", words.say("conversation.clear.explanation"));
    this.element = make("dialog", "vy-clear-form vy-dialog", title, explanation,
      make("div", "vy-choices", cancel, sure));
    this.element.setAttribute("aria-labelledby", title.id);
  }

  ask() {
    this.element.showModal();
  }
}
