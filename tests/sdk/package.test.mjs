// The SDK as the npm package `vyomachat`: its types hold, and it works where it is installed.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);
const web = new URL("../../web/", import.meta.url).pathname;
const tsc = join(web, "node_modules/typescript/bin/tsc");

let folder;
let packed;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "vyoma-package-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: web });
  // What `prepack` prints comes first.
  [packed] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
  writeFileSync(join(folder, "package.json"), '{"name":"somebody","private":true,"type":"module"}');
  const install = ["install", "--offline", "--no-audit", "--no-fund", `./${packed.filename}`];
  await run("npm", install, { cwd: folder });
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** What tsc says of a program that uses the package; nothing, if all is well. */
async function typecheck(program) {
  const file = join(folder, "program.ts");
  writeFileSync(file, program);
  const options = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext"];
  const checked = run(process.execPath, [tsc, ...options, file]);
  return checked.then(() => "", ({ stdout }) => stdout);
}

test("its own types hold", async () => {
  await run(process.execPath, [tsc, "--noEmit", "--project", web]);
});

test("it has the modules and their types, and nothing else", () => {
  const within = (folder) => readdirSync(join(web, folder)).map((name) => `${folder}/${name}`);
  const modules = ["vyoma.js", "conversation.js", "words.js", ...["vyoma", "conversation", "words"].flatMap(within)];
  const types = modules.map((name) => `types/${name.replace(/\.js$/, ".d.ts")}`);
  const others = ["conversation.css", "palette.css", "README.md", "package.json"];
  const files = packed.files.map(({ path }) => path).sort();
  assert.deepEqual(files, [...modules, ...types, ...others].sort());
  assert.equal(packed.name, "vyomachat");
});

test("who installed it imports it by name", async () => {
  const program = "import('vyomachat').then((all) => console.log(typeof all.connect))";
  const { stdout } = await run(process.execPath, ["--eval", program], { cwd: folder });
  assert.equal(stdout, "function\n");
});

test("the conversation is imported by name, too", async () => {
  // Elsewhere than in a page there is nothing to mount it in, but it can be loaded.
  const program = "Promise.all([import('vyomachat/conversation'), import('vyomachat/words'), import('vyomachat/words/hi')])" +
    ".then(([{ mount }, { Words }, hindi]) => console.log(typeof mount, typeof Words, hindi.default.name))";
  const { stdout } = await run(process.execPath, ["--eval", program], { cwd: folder });
  assert.equal(stdout, "function function हिन्दी\n");
});

const PROGRAM = `
import { connect, Refused, type Profile } from "vyomachat";
const profile: Profile = { name: "Ada", topics: ["looms"] };
const client = await connect("wss://chat.example.org/ws", { storage: "memory" });
client.on("message", async ({ n, value, bytes }) => client.read(n + (bytes ? bytes.length : value.length)));
client.on("ended", ({ sentence, complete }: { sentence: string; complete: boolean }) => [sentence, complete]);
client.join(profile);
const receipt = await client.send({ text: "hello" });
const delivered: boolean = await receipt.delivered();
export { delivered, Refused };
`;

test("a program that uses it well is well typed", async () => {
  assert.equal(await typecheck(PROGRAM), "");
});

for (const [right, wrong] of [
  ['on("message"', 'on("mesage"'],
  ['{ name: "Ada"', '{ nam: "Ada"'],
  ["{ sentence, complete }:", "{ sentence, compleat }:"],
  ['storage: "memory"', 'storage: "disk"'],
]) {
  test(`a program that says ${wrong} is told so`, async () => {
    assert.ok(PROGRAM.includes(right));
    assert.match(await typecheck(PROGRAM.replace(right, wrong)), /program\.ts\(\d+,\d+\): error TS2/);
  });
}

// What a block may count on without saying it.
const BEFORE = [
  ["connect(", "import { connect }", 'import { connect } from "vyomachat";'],
  ["client.", "const client", 'const client = await connect("ws://127.0.0.1");'],
  ["WebSocket }", "import { WebSocket }", 'import { WebSocket } from "ws";'],
  ["mount(", "import { mount }", 'import { mount } from "vyomachat/conversation";'],
];

test("what the README says is well typed", async () => {
  const readme = readFileSync(join(web, "README.md"), "utf8");
  const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, block]) => block);
  assert.ok(blocks.length >= 4);
  for (const block of blocks) {
    const said = BEFORE.reduceRight(
      (program, [used, made, line]) =>
        program.includes(used) && !program.includes(made) ? `${line}\n${program}` : program,
      block,
    );
    writeFileSync(join(folder, "ws.d.ts"), 'declare module "ws" { export const WebSocket: any; }');
    assert.equal(await typecheck(`/// <reference path="ws.d.ts" />\n${said}\nexport {};`), "", block);
  }
});
