/** @type {import("../words.js").Table} */
export default {
  name: "English",
  direction: "ltr",
  words: {
    // --- The page ---------------------------------------------------------------------------------

    // --- The conversation -------------------------------------------------------------------------
  },
};
