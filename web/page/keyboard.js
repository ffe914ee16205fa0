// A keyboard on the screen that covers the page (iOS; elsewhere the window gets smaller by itself): the conversation
// is as high as what is left.
//
// Knows the window's visible part. Must not know what is in it.

/** What is covered by less than this, in pixels, isn't covered by a keyboard. */
const LEAST = 80;

/** Keeps `--visible` of the body at the height that a keyboard leaves; without one there is no such property. */
export function makeRoomForKeyboard() {
  const visible = globalThis.visualViewport;
  visible?.addEventListener("resize", () => {
    const { height, scale } = visible;
    // Who zooms in sees less, too, and doesn't want the page to change.
    const covered = scale < 1.01 && innerHeight - height > LEAST;
    if (!covered) return document.body.style.removeProperty("--visible");
    document.body.style.setProperty("--visible", `${height}px`);
    // The browser has pushed the page up, to show what is written in.
    scrollTo(0, 0);
  });
}
