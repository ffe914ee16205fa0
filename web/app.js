// The first page of VyomaChat: one conversation over one WebSocket, in the plain dialect.
//
// Knows the three notices of the plain dialect (docs/protocol.md) and this page. Must not turn what
// a partner wrote into markup: every word enters the page as a text node.

const NOTICE = {
  waiting: "⌛ Waiting for another entrepreneur...",
  connected: "🎯 Connected with an entrepreneur!",
  disconnected: "⚠️ Partner disconnected.",
};

// The server's default limit for one message, in bytes of UTF-8.
const MAX_MESSAGE_BYTES = 64 * 1024;
// From here on the writer sees how much is left.
const COUNT_FROM_BYTES = MAX_MESSAGE_BYTES * 0.9;
// What may wait in the browser for a partner who reads slowly: sixteen of the largest messages.
const MAX_UNSENT_BYTES = 16 * MAX_MESSAGE_BYTES;
// The page keeps this many entries; older ones go, so that a long talk doesn't fill the memory.
const MAX_ENTRIES = 500;
// Reconnecting: a random wait of up to 0.5 s, doubled per failure up to 30 s ("full jitter"), so
// that a server that comes back isn't met by everybody at once.
const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
// A connection that lived this long was a good one: the next wait is short again.
const STABLE_MS = 10_000;

// What the page says in each state; `connected` needs no panel, the conversation is the news.
const STATES = {
  connecting: {
    pill: "Connecting",
    headline: "Connecting…",
    detail: "One moment, the server is being called.",
  },
  waiting: {
    pill: "Waiting",
    headline: "Waiting for another entrepreneur",
    detail: "Keep this page open. You are connected as soon as somebody comes.",
  },
  connected: { pill: "Connected", headline: "", detail: "" },
  left: {
    pill: "Partner left",
    headline: "Your partner has left",
    detail: "You are about to be queued for the next one.",
  },
  expecting: {
    pill: "Waiting",
    headline: "Waiting for whoever you know",
    detail: "You are connected as soon as somebody comes with the same invitation, and to nobody else.",
  },
  uninvited: {
    pill: "Disconnected",
    headline: "This invitation leads to nobody",
    detail: "It may be over, or two others have used it. You can still meet somebody new.",
  },
  disconnected: {
    pill: "Disconnected",
    headline: "The connection was lost",
    detail: "Trying again in a moment, by itself.",
  },
  ended: {
    pill: "Disconnected",
    headline: "You have left",
    detail: "Whenever you like, find somebody new to talk to.",
  },
};

const byId = (id) => document.getElementById(id);
const page = {
  pill: byId("pill"),
  leave: byId("leave"),
  log: byId("log"),
  headline: byId("headline"),
  detail: byId("detail"),
  reconnect: byId("reconnect"),
  composer: byId("composer"),
  draft: byId("draft"),
  send: byId("send"),
  hint: byId("hint"),
};

// What the page's address asks of the server: a pool, and somebody who has the same invitation.
const asked = new URLSearchParams(location.search);
const pool = asked.get("pool");
let invite = (asked.get("invite") ?? "").replace(/[^a-z]/gi, "");

let state = "loading";
let socket = null;
let failures = 0;
let retryTimer = 0;
let unread = 0;
// Whether the reader is at the end of the conversation, and so wants to see what is added.
let following = true;

// --- The connection ---------------------------------------------------------------------------

function connect() {
  clearTimeout(retryTimer);
  if (socket) return;
  enter("connecting");
  const url = new URL("ws", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (pool !== null) url.searchParams.set("pool", pool);
  if (invite) url.searchParams.set("invite", invite);
  const mine = new WebSocket(url);
  let stableTimer = 0;
  let opened = false;
  mine.binaryType = "arraybuffer";
  mine.onopen = () => {
    opened = true;
    stableTimer = setTimeout(() => (failures = 0), STABLE_MS);
  };
  mine.onmessage = (event) => receive(event.data);
  mine.onclose = ({ code }) => {
    clearTimeout(stableTimer);
    if (socket !== mine) return;
    socket = null;
    // A browser doesn't tell why an upgrade was refused; the server's sentence can be asked for.
    if (invite && (!opened || code === 1008)) uninvited(opened);
    else lost();
  };
  socket = mine;
}

function lost() {
  if (state === "connected") addNotice("The connection was lost, and with it the conversation.");
  enter("disconnected");
  const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures);
  failures += 1;
  retryTimer = setTimeout(connect, Math.random() * longest);
}

// An invitation that doesn't lead on is given up, unless it was only the server that wasn't there.
async function uninvited(opened) {
  const there = opened || (await fetch("readyz", { cache: "no-store" }).then(({ ok }) => ok, () => false));
  if (!there) return lost();
  invite = "";
  const address = new URL(location);
  address.searchParams.delete("invite");
  history.replaceState(null, "", address);
  enter("uninvited");
}

function leave() {
  const old = socket;
  socket = null;
  old?.close(1000);
  if (state === "connected") addNotice("You have left the conversation.");
  enter("ended");
  page.reconnect.focus();
}

// A notice counts only in a state in which the server can send it: in the plain dialect the words
// of server and partner share one stream, and a partner may well type "🎯 Connected …" himself.
function receive(data) {
  if (data === NOTICE.waiting && (state === "connecting" || state === "left")) {
    enter(invite ? "expecting" : "waiting");
  } else if (data === NOTICE.connected && state !== "connected") {
    addNotice("Connected with an entrepreneur. Say hello!");
    enter("connected");
  } else if (data === NOTICE.disconnected && state === "connected") {
    addNotice("Your partner has left.");
    enter("left");
  } else if (typeof data === "string") {
    addMessage("theirs", "Partner", data);
  } else {
    addNotice(`Your partner sent ${data.byteLength.toLocaleString()} bytes that are not text.`);
  }
}

// --- What is seen -----------------------------------------------------------------------------

function enter(next) {
  state = next;
  const words = STATES[next];
  const shown = { ended: "disconnected", uninvited: "disconnected", expecting: "waiting" };
  document.body.dataset.state = shown[next] ?? next;
  page.pill.textContent = words.pill;
  page.headline.textContent = words.headline;
  page.detail.textContent = words.detail;
  page.leave.hidden = !["waiting", "expecting", "connected", "left"].includes(next);
  page.reconnect.hidden = !["disconnected", "ended", "uninvited"].includes(next);
  page.reconnect.textContent = next === "disconnected" ? "Reconnect" : "Find a partner";
  checkDraft();
}

function addMessage(kind, who, text) {
  const entry = document.createElement("div");
  const label = document.createElement("span");
  entry.className = `message ${kind}`;
  entry.dir = "auto";
  label.className = "unseen";
  label.textContent = `${who}: `;
  entry.append(label, text);
  append(entry);
  if (kind === "theirs" && document.hidden) countUnread(unread + 1);
}

function addNotice(text) {
  const entry = document.createElement("div");
  entry.className = "notice";
  entry.textContent = text;
  append(entry);
}

function append(entry) {
  page.log.append(entry);
  if (page.log.childElementCount > MAX_ENTRIES) page.log.firstElementChild.remove();
  delete document.body.dataset.empty;
  if (entry.classList.contains("mine")) following = true;
  follow();
}

function follow() {
  if (following) page.log.scrollTop = page.log.scrollHeight;
}

function countUnread(count) {
  unread = count;
  document.title = count ? `(${count}) VyomaChat` : "VyomaChat";
}

// --- Writing ----------------------------------------------------------------------------------

// UTF-8 takes at most three bytes per UTF-16 unit, so short drafts need no encoding.
function byteLength(text) {
  return text.length * 3 < COUNT_FROM_BYTES ? 0 : new TextEncoder().encode(text).length;
}

// Says what keeps the draft from being sent, if anything; `asked` when Send or Enter was pressed.
function checkDraft(asked = false) {
  const text = page.draft.value;
  const bytes = byteLength(text);
  const tooLong = bytes > MAX_MESSAGE_BYTES;
  const full = asked && socket?.bufferedAmount > MAX_UNSENT_BYTES;
  const nobody = state !== "connected";
  page.send.disabled = nobody || tooLong;
  page.draft.setAttribute("aria-invalid", String(tooLong));

  let hint = "";
  if (tooLong) hint = `Too long: ${counted(bytes)}. Please split it.`;
  else if (full) hint = "Your last messages are still on their way. Please try again in a moment.";
  else if (asked && nobody) hint = "Nobody is here yet. Your words stay in this box until somebody is.";
  else if (bytes > COUNT_FROM_BYTES) hint = counted(bytes);
  if (page.hint.textContent !== hint) page.hint.textContent = hint;
  page.hint.classList.toggle("problem", tooLong || full);
  return text !== "" && !nobody && !tooLong && !full;
}

function counted(bytes) {
  return `${bytes.toLocaleString()} of ${MAX_MESSAGE_BYTES.toLocaleString()} bytes`;
}

function send() {
  if (!checkDraft(true)) return;
  socket.send(page.draft.value);
  addMessage("mine", "You", page.draft.value);
  page.draft.value = "";
  page.draft.focus();
  checkDraft();
}

// --- Wiring -----------------------------------------------------------------------------------

page.composer.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
page.draft.addEventListener("input", () => checkDraft());
page.draft.addEventListener("keydown", (event) => {
  // Shift+Enter is a new line; Enter while an input method composes belongs to the input method.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
page.leave.addEventListener("click", leave);
page.reconnect.addEventListener("click", () => {
  failures = 0;
  connect();
  page.draft.focus();
});
// The panel and a phone's keyboard take room from the conversation; its end stays in sight. A scroll
// event after such a change, but before it was followed, is not the reader's doing.
let height = 0;
new ResizeObserver(() => {
  height = page.log.clientHeight;
  follow();
}).observe(page.log);
page.log.addEventListener("scroll", () => {
  if (page.log.clientHeight !== height) return;
  following = page.log.scrollHeight - page.log.scrollTop - height < 40;
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) countUnread(0);
});
addEventListener("online", () => {
  if (state === "disconnected") connect();
});

connect();
