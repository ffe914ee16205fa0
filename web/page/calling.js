// Calling somebody back who looks elsewhere: a gentle sound, and a notification where the browser has them.
//
// Knows the browser's permissions, which are asked for on a click only. Must not know why somebody is called.

/** Two notes, a fourth apart, quiet: hertz, and when each begins, in seconds. */
const NOTES = /** @type {const} */ ([[523.25, 0], [698.46, 0.18]]);
const LOUDNESS = 0.08;
const FADES_S = 0.7;

export class Calling {
  /** @type {AudioContext | null} */
  #audio = null;

  /** Whether there is anything to ask for that wasn't yet allowed. */
  get canBeAsked() {
    return this.#audio === null && ("AudioContext" in globalThis || "Notification" in globalThis);
  }

  /** To be called on a click: asks for all that is needed. Whether notifications are allowed. */
  async ask() {
    if ("AudioContext" in globalThis) this.#audio ??= new AudioContext();
    await this.#audio?.resume();
    if (!("Notification" in globalThis) || !isSecureContext) return false;
    return (await Notification.requestPermission()) === "granted";
  }

  /** Calls, if the page isn't looked at. @param {string} title @param {string} text */
  call(title, text) {
    if (!document.hidden) return;
    this.#ring();
    this.#notify(title, text);
  }

  #ring() {
    const audio = this.#audio;
    if (!audio) return;
    for (const [frequency, after] of NOTES) {
      const at = audio.currentTime + after;
      const loudness = new GainNode(audio, { gain: 0 });
      loudness.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, at + FADES_S);
      const note = new OscillatorNode(audio, { frequency });
      note.connect(loudness).connect(audio.destination);
      note.start(at);
      note.stop(at + FADES_S);
    }
  }

  /** @param {string} title @param {string} text */
  #notify(title, text) {
    if (!this.#audio || globalThis.Notification?.permission !== "granted") return;
    try {
      const note = new Notification(title, { body: text, tag: "vyomachat" });
      note.onclick = () => {
        globalThis.focus();
        note.close();
      };
    } catch {
      // Android takes notifications from service workers only; the sound and the title are left.
    }
  }
}
