// Why a wish of the application, or a message, had no effect.

const SENTENCES = {
  wrong_state: "that can't be done now",
  offline: "there is no connection just now",
  feature_off: "this server does not offer that",
  bad_value: "that has a value that it must not have",
  no_partner: "there is no partner to send this to",
  full: "too much is waiting to be sent; try again once it was delivered",
  too_big: "the message is longer than the server takes",
  bad_json: "the message is not JSON as the server takes it",
  exhausted: "no number is left in this conversation",
  closed: "the client is closed",
  too_many_invites: "too many invitations are open",
  too_fast: "that came too often; wait a little",
  superseded: "another connection has taken this place",
};

/** Nothing was done. */
export class Refused extends Error {
  /**
   * @param {keyof typeof SENTENCES} reason
   * @param {string} [sentence]
   */
  constructor(reason, sentence = SENTENCES[reason]) {
    super(sentence);
    this.name = "Refused";
    /** A stable name. */
    this.reason = reason;
  }
}
